"""The streams service: Faust agents that turn events into records and contributions, and the roll-up of indicators."""
