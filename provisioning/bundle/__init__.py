"""One signed file that carries everything an appliance is installed and updated from.

Owns: what is in a bundle, how it is made from a stored pool of packages, and how it is checked before anything of it is
used. Must never see: an appliance's data; a bundle is the same for every agency.
"""
