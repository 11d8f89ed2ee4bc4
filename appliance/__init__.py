"""Wardwell's domain: everything the appliance does, without any web framework.

One package per compartment (`intake`, `desk`, `post`, `ledger`, `press`); none of them imports another.
What crosses between two of them stands in `appliance.spool.messages`.
"""
