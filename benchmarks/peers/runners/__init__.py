"""One script per engine, run by that engine's interpreter; only `contract` is shared."""
