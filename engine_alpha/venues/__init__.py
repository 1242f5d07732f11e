"""Where orders go: paper, and exchanges through ccxt."""
