"""A small world on this machine to try Checkup on; `make run` and `make serve` start it."""
