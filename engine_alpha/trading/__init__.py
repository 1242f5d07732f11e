"""Real orders over the ports: intents, look-ups, protection, reconciliation. Knows no venue by name."""
