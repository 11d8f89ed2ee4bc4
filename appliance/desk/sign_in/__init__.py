"""Signing in: the directory, one-time codes, sessions, lockout."""
