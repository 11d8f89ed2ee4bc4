"""Areas of `make bench`: each module with a `run()` is one; see `provisioning.measure`."""
