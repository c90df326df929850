"""The local stack: set-up, Kafka, PostgreSQL, and the services on one machine."""
