"""The daily life of an appliance: what its operator asks it, changes on it and takes away from it.

Owns: updates, certificates, maintenance, support bundles and health messages to the agency's own hosts. Must never see:
anything about a person; whoever operates the appliance is not somebody whom officers chose to trust.
"""
