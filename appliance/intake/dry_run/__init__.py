"""What a profile would take from files, without an appliance and without storing anything."""
