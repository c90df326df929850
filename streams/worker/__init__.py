"""The worker: an agent for each feed, all of one class, and the store that they write to."""
