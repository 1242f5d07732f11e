"""Bars and funding in Parquet files. Its modules need the backtest extra and say so when it is absent."""
