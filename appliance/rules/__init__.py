"""What several compartments must agree on and none owns: shared constants, the exposure model, the group rules.

Must never see: a person, a call, a figure.
"""
