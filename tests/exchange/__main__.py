"""`python -m tests.exchange`: serve until interrupted; the first line printed is the port."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from tests.exchange.accounts import KEY, SECRET, accounts_of
from tests.exchange.app import build
from tests.exchange.candles import HOUR_MS, Listing, generated_listing, real_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.private import PrivateVenue

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
STEPS = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": HOUR_MS}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, help="folder with candles/ and funding/: ../shared/data")
    source.add_argument("--seeded", type=int, default=1, help="generate candles from this seed (default)")
    parser.add_argument("--market", default="BINANCEUM", help="which files of --data: BINANCEUM or BYBIT")
    parser.add_argument("--symbols", help="comma-separated; default: those of config/asset_registry.json")
    parser.add_argument("--timeframe", choices=STEPS, default="1h", help="of generated candles")
    parser.add_argument("--bars", type=int, default=3_000, help="how many generated candles before now")
    parser.add_argument("--ahead", type=int, default=500, help="how many candles lie after now, to run into")
    parser.add_argument("--now", type=int, help="fixed exchange clock, ms UTC; real candles keep their times")
    parser.add_argument("--wallet", type=float, default=10_000.0, help="USDT in each venue's account")
    parser.add_argument("--keys", default=f"{KEY}:{SECRET}", help="KEY:SECRET that both venues accept")
    return parser.parse_args()


def symbols_of(asked: argparse.Namespace) -> list[str]:
    """Return the symbols to list: as asked, else those of the registry."""
    if asked.symbols:
        return str(asked.symbols).split(",")
    registry = ROOT / "config" / "asset_registry.json"
    return list(json.loads(registry.read_text(encoding="utf-8")))


def market_of(asked: argparse.Namespace) -> Market:
    """Return the market to serve.

    Without --now the exchange's clock is the wall's, and real candles are moved so that the one `ahead`
    places before the newest is forming now.
    """
    clock = ExchangeClock(asked.now)
    now_ms = clock.now_ms()
    listings: list[Listing] = []
    for symbol in symbols_of(asked):
        if asked.data is not None:
            moved_to = now_ms if asked.now is None else None
            listings.append(real_listing(asked.data, symbol, asked.market, moved_to, asked.ahead))
        else:
            step = STEPS[asked.timeframe]
            end_ms, bars = now_ms + asked.ahead * step, asked.bars + asked.ahead
            listings.append(generated_listing(asked.seeded, symbol, step, end_ms, bars))
    return Market([listing for listing in listings if listing.series], clock)


async def serve(market: Market, private: Sequence[PrivateVenue], port: int) -> None:
    """Serve on 127.0.0.1 and print the port."""
    runner = web.AppRunner(build(market, private), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    print(runner.addresses[0][1], flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    asked = arguments()
    with contextlib.suppress(KeyboardInterrupt):
        market, (key, _, secret) = market_of(asked), asked.keys.partition(":")
        asyncio.run(serve(market, accounts_of(market, asked.wallet, key, secret), asked.port))


if __name__ == "__main__":
    main()
