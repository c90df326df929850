"""Changes of figures for others: marked by the roll-up in its own transaction, relayed to Kafka as CloudEvents."""
