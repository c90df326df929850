"""Canonical events in a file, of any feed."""
