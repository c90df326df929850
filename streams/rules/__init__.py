"""What events mean: pure functions on frames, without Kafka, Faust or a database."""
