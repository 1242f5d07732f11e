"""Where bars come from: a simulated market, a venue, or files."""
