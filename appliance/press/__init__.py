"""Releases, signed reports and the pages before sign-in.

Owns: group counts, monthly releases, the report key, reports made from the public log, the public pages.
Must never see: a row about one person; groups below the charter's floor never cross, and are refused if they do.
"""
