"""A night of research to look at: its documents read back, compared with the night before, drawn as pages."""
