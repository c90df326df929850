"""The feeds, a module each; the file is named by the key of the feed."""
