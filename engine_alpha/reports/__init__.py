"""Numbers turned into tables and sentences: pure functions from plain values, no file and no clock."""
