"""What the agents and the roll-up compute, as PostgreSQL computes it from records: for the proof, and for the past."""
