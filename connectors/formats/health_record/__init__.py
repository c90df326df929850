"""Electronic health records: FHIR, and tables."""
