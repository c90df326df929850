"""The file drop: files that arrive in a directory are read, sent, and put away with a report of what was wrong."""
