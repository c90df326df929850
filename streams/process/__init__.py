"""What every long-running process of the streams shares."""
