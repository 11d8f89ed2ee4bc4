"""Installing an appliance: a few answers, checks of the machine, and one playbook over a local connection.

Owns: `/etc/wardwell/answers.toml` and everything that is rendered from it. Must never see: an appliance's data, a card,
a key of a compartment.
"""
