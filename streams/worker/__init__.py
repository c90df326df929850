"""The worker: an agent for each feed, one class for all feeds, and the store that they write to."""
