"""Use of apps and assistants as tables and JSON."""
