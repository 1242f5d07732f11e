"""One asset, one closed bar, over the ports: settle, read bars, advance, journal."""
