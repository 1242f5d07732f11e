"""Chloe, a crypto trading engine: closed candle in, decision out, order placed, profit factor kept."""

__version__ = "0.1.0"
