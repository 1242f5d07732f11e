"""What research reads: each decided bar and would-be trade of an asset, in Parquet, extended every night."""
