"""Files of a home turned into values: registry, engine, risk, cards, instruments."""
