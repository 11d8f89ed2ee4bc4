"""How the long-lived workers run: turn after turn until they are stopped, and all that is due at once when asked.

Owns: the turn loop, its signals, and the file by which a worker of this home is reached. Must never see: what a turn
does, or the words of an error that no WardwellError vouches for.
"""
