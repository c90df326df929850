"""What a feed and its events are; the feeds themselves are declared in `declared/`, a module each."""
