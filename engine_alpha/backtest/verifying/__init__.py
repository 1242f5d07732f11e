"""How a journal is decided again: replay, prices, what changed in the configuration, and what to call it."""
