"""Connectors: what stands between a sector's own system and Kafka."""
