"""Administrative units in time: areas, which of them share territory, and where figures are placed."""
