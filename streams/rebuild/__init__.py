"""Rebuild: a changed catalogue computed beside the live values, compared with them, and swapped in at once."""
