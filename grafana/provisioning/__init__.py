"""Bringing a bundle to a Grafana server: as files, or through its API."""
