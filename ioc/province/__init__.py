"""One province as data: its profile, its registers of reporters, and their load into the database."""
