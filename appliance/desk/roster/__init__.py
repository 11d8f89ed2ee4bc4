"""The agency's roster."""
