"""Refused events: their way to the dead-letter topic, and their replay."""
