"""Reading figures: series, in the units of any date, and the explanation of one figure."""
