"""One position from arming to profit factor, over HTTP, as a story of what was written down.

`python -m tests.live.round_trip --venue bybit` runs and prints it.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import StoredEvent
from engine_alpha.step.recording import TRADE
from engine_alpha.times import iso
from engine_alpha.trading.recording import EXECUTION, ORDER, PROTECTION
from tests.live.http_worlds import HttpWorld, When, http_world
from tests.unit.loop.runs import QUICK

SYMBOL = "ETHUSDT"
BARS_IN = 132  # a trade that is trailed, and left by time
MOST_TICKS = 10
CARD = {
    **QUICK,
    "name": "round-trip",
    "exits": {"stop": {"atr": 3.0}, "trailing": {"atr": 2.0}, "max_hold_bars": 4},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stood at the exchange after one tick."""

    hour: int
    positions: dict[str, Any]
    stops: tuple[str, ...]


def trip(world: HttpWorld) -> list[Seen]:
    """Arm one asset and tick until it has entered, held and left; return what stood after each tick."""
    armed = world.chloe("live", "arm", SYMBOL, "--yes")
    assert armed.exit_code == 0, armed.output
    seen: list[Seen] = []
    for hour in range(MOST_TICKS):
        report = world.tick(hour)
        assert report.exit_code == 0, report
        facts = world.facts()
        seen.append(Seen(hour=hour, positions=facts["positions"], stops=tuple(stops_in(facts))))
        if told(world.journal, TRADE):
            return seen
    raise AssertionError(f"no round trip within {MOST_TICKS} ticks")


def stops_in(facts: dict[str, Any]) -> Iterator[str]:
    """Return where our stops wait."""
    for order in facts["orders"]:
        if order["status"] == "Untriggered" and "Stop" in order["stop_order_type"]:
            yield order["trigger_price"]


def told(journal: Path, *kinds: str) -> list[StoredEvent]:
    """Return the events of some kinds in order of writing."""
    opened = SqliteJournal.open(journal, read_only=True)
    try:
        return [each for each in opened.events(None, SYMBOL) if each.event.kind in kinds]
    finally:
        opened.close()


def story(journal: Path) -> Iterator[str]:
    """Return what was written down as lines to read."""
    for stored in told(journal, ORDER, EXECUTION, PROTECTION, TRADE):
        payload = json.loads(stored.event.payload)
        yield f"{iso(stored.at_ms)[:19]}  {stored.event.kind:<10}  {WORDS[stored.event.kind](payload)}"


def _order(payload: dict[str, Any]) -> str:
    intent = payload["intent"]
    words = f"{intent['leg']} {intent['side']} {intent['quantity_base']} {intent['client_id']}"
    return f"{words}  {payload['status']}: {payload['what']}"


def _execution(payload: dict[str, Any]) -> str:
    if payload["kind"] == "funding":
        return f"funding {float(payload['received_quote']):+.6f} USDT  ({payload['venue_id']})"
    return (
        f"{payload['kind']} {payload['side']} {payload['quantity_base']} at {payload['price']}, "
        f"fee {float(payload['fee_quote']):.6f} USDT  ({payload['venue_id']})"
    )


def _protection(payload: dict[str, Any]) -> str:
    target = f", target {payload['target_price']}" if payload["target_price"] else ""
    stop = f"stop {payload['side']} {payload['quantity_base']} at {payload['stop_price']}{target}"
    return f"{stop}  {payload['what']}; unprotected {payload['unprotected_ms']} ms so far"


def _trade(payload: dict[str, Any]) -> str:
    return (
        f"{payload['quantity_base']} from {payload['entry_price']} to {payload['exit_price']}, "
        f"left by {payload['exit_reason']} after {payload['bars_held']} bars: "
        f"fees {payload['fees_quote']:.6f}, "
        f"funding {payload['funding_quote']:+.6f}, net {payload['net_quote']:+.6f} USDT"
    )


WORDS = {ORDER: _order, EXECUTION: _execution, PROTECTION: _protection, TRADE: _trade}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.live.round_trip", description=__doc__)
    parser.add_argument("--venue", choices=("bybit", "binance"), default="bybit")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        http_world(Path(folder) / "home", asked.venue, CARD, when=When(BARS_IN)) as world,
    ):
        seen = trip(world)
        print(f"{asked.venue}, environment loopback, over HTTP with ccxt's signatures")
        print(*story(world.journal), sep="\n")
        for each in seen:
            held = each.positions.get(SYMBOL)
            at = f"{held['quantity']} from {held['entry_price']}" if held else "flat"
            print(f"at the exchange after tick {each.hour}: {at}, stops {', '.join(each.stops) or 'none'}")
        print(world.chloe("pf", "--account", "live-loopback").stdout)


if __name__ == "__main__":
    main()
