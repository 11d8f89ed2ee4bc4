"""How hard the appliance is, by two scanners that are not ours: OpenSCAP with Debian's content, and Lynis."""
