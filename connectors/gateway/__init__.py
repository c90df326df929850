"""The HTTP gateway: CloudEvents in, Kafka records out, an answer for every event."""
