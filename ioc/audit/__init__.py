"""The audit log: every administrative act, in a chain of hashes that shows an edit."""
