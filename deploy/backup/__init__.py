"""Backup of the database with the positions in it, its restore, and what Kafka can and cannot give again."""
