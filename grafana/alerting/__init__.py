"""Alert rules, and the recipients and texts of messages."""
