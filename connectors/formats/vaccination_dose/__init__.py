"""Vaccinations: FHIR Immunization, and tables."""
