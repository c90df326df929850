"""Citizens' feedback as tables and JSON."""
