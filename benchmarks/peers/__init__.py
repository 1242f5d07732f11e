"""Other people's engines on the same bars and rules as Chloe, each in an environment of its own."""
