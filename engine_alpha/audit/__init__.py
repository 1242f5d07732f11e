"""May this asset trade? A look at its configuration, its records, and what its trades prove."""
