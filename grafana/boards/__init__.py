"""The boards, and the panels they are composed of."""
