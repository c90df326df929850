"""Readings of monitoring stations: text lines and tables."""
