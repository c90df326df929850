"""Security alerts and incidents as tables and JSON."""
