"""Writers of the sectors' own formats: what a simulated system knows, as its real counterpart would export it."""
