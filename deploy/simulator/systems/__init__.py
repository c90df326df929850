"""The simulated systems, a module each; the file is named by the table of the feed."""
