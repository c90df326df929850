"""SQL of boards and rules: the project's named queries, bound, and what Grafana makes of them."""
