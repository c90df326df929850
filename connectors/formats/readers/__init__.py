"""How files from outside are opened: recognised by their bytes, bounded in every direction, read as a stream."""
