"""What every command shares: output for people and as JSON."""
