"""What integration and acceptance tests stand on: servers of their own, events, processes, invariants."""
