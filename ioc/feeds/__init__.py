"""The feeds, one module each; the module's name is the feed's key with an underscore."""
