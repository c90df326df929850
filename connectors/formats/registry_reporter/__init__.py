"""Registers of places as tables and JSON."""
