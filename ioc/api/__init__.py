"""The read-only HTTP API: indicators, their series, and what a figure is made of, for other systems."""
