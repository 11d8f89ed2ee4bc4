"""The appliance proven by booting it: in a container (fast), and in an emulated machine (the real kernel).

Everything here needs root and the tools of `provisioning/apt-appliance.txt`; `make test-appliance` runs what is marked
`appliance`, `make test-vm` what is marked `vm`. Nothing here can reach a network: see `network.py`.
"""
