"""Connectors: what turns a sector system's format into events in Kafka."""
