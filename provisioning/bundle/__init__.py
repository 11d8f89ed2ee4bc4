"""The bundle: a single signed file with everything that an appliance is installed or updated from.

Owns: what is in a bundle, and how it is built from a pool of packages; `appliance/operate/bundle.py` checks and reads
it. Must never see: an appliance's data; a bundle is the same for every agency.
"""
