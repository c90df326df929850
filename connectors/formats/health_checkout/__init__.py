"""Visits to health facilities: the insurer's GIAMDINHHS XML."""
