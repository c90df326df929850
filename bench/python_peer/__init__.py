"""Peers in Python, each a program of its own in an environment of its own (`deploy/local/python_peer`)."""
