"""What the platform itself sends to people, and the record of what was sent to whom: digests, channels, receipts."""
