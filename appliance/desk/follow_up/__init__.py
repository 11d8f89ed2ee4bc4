"""Follow-up of critical incidents, corrections of that record, and the monthly counts made from it."""
