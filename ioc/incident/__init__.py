"""Incidents as people see them and act on them: by command, over the API, through a signed link."""
