"""The only door into the appliance: CAD/RMS exports become who attended which call, and nothing more.

Owns: drop folders, feed profiles, involvement, quarantine, and sealing each contribution to its officer.
Must never see: a narrative, a caller, an address or a plate beyond the short-lived child that parses the file; a sum of
a person's calls, anywhere; a network.
"""
