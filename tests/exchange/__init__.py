"""A test exchange: the public market data of Bybit v5 and Binance USD-M on 127.0.0.1, with fault dials.

`python -m tests.exchange --help` runs it as its own process; `tests.exchange.running` runs it in a thread.
"""
