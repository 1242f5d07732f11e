"""`chloe run`: waits for closes, steps what is due, takes up edits, and says that it trades."""
