"""Dossiers of the one-stop shops: the national portal's exchange."""
