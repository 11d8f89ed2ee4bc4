"""Fixtures of desk's web application."""
