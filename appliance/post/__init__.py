"""The sealed post: cells from anyone entitled, boards for everyone, and no idea whose they are.

Owns: cells on their way, spent tickets, boards, the epoch. Time is kept as the epoch only. Must never see: an account,
a session, a handle, an address; a ticket says "someone entitled" and nothing else.
"""
