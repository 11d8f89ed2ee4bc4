"""What crosses from one compartment to another, and how.

`messages` names everything that crosses; `delivery` carries it in spool folders, exactly once; `append` is the one
synchronous crossing, to the ledger's socket. Must never see: a message that is not in `messages`.
"""
