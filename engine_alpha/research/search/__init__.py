"""Look for better cards and thresholds by walk-forward, count every trial, and judge what was found."""
