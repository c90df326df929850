"""Values that agencies report: tables, JSON and SDMX."""
