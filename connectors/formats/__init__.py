"""Formats: how a sector system's own files become canonical events.

A module of this package that declares `FORMAT` is a format; its name is the format's. The other modules and
the packages beneath are what formats are made of.
"""
