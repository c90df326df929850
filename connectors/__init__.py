"""Connectors: what turns a sector's own format into events in Kafka."""
