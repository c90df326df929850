"""What the lodging formats are made of: stays, countries, home regions, cells of a template."""
