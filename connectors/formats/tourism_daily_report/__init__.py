"""The daily report of a lodging establishment, as JSON and as a table."""
