"""Areas of `make attacks`: each module with a `run()` is one; see `provisioning.measure`."""
