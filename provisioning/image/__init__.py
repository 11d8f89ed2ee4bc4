"""Machine images: a stock Debian 12 with the bundle inside, for a hypervisor instead of Debian's installer.

Owns: what is on such a disk before anything is installed. Must never see: a key or a password; two machines made from
one image share nothing that is secret, and nobody has a password on either.
"""
