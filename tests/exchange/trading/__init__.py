"""The trading side of the test exchange: one account at one venue, pure and deterministic.

No venue's JSON, no HTTP and no wall clock appear here; both venues' protocols stand on `TradingBook`.
"""
