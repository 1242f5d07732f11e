"""Where the cards of an asset have an edge: net R by card, regime and confidence, and its calibration."""
