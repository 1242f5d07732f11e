"""A test exchange: Bybit v5 linear and Binance USD-M on 127.0.0.1, market data and trading, with fault dials.

`python -m tests.exchange --help` runs it as its own process; `tests.exchange.running` runs it in a thread.
"""
