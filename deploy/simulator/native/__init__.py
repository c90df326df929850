"""Writers of the formats of sector systems: what a simulated system knows, as its real counterpart would export it."""
