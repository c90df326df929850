"""Speed and memory, measured as ratios within one run: the worker beside its peer, its database and its framework."""
