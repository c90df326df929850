"""The worker: the one Faust agent of all feeds, and the store that it writes to."""
