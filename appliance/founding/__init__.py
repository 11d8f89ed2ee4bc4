"""Founding an appliance: papers that leave it unsigned and come back signed by the agency and the officers' trustee."""
