"""Measurements of what the design promises; ratios and medians from one run."""
