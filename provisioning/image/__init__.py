"""Machine images: a stock Debian 12 with the bundle inside, for a hypervisor instead of Debian's installer.

Owns: what is on such a disk before anything is installed. Must never see: a key or a password; two machines made from
the same image share no secret, and neither has an account with a password.
"""
