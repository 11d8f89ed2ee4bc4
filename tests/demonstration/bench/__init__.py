"""Areas of `make bench`: each module with a `run()` is one; see `tests.demonstration.measure`."""
