"""What the e-invoice format is made of: sellers, numbers, totals, fuel, notices."""
