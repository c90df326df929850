"""The proof: every sum and figure recomputed from the records, in SQL, and compared."""
