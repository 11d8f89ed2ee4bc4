"""Areas of `make attacks`: each module with a `run()` is one; see `tests.demonstration.measure`."""
