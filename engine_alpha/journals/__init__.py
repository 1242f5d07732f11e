"""Where everything that happened is written down: append-only events, and the states they add up to."""
