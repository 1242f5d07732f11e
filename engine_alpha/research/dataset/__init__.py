"""What research reads: every bar and every would-be trade of an asset, in Parquet, extended night by night."""
