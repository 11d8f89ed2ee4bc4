"""Backup and restore: one consistent cut of the data volume, in pieces that only custody can open.

Owns: the backup's format, its making, its checking and its return. Must never see: the root secret while a backup is
made; only `restore` and `verify --identity` are given it. A backup holds no compartment key and no root secret.
"""
