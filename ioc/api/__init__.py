"""The read-only HTTP API: indicators, their series, and why a figure is what it is, for other systems."""
