"""The quality of the data, measured and reported."""
