"""Homes for commands about real orders: keys, armed coins, a live account's journal."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine_alpha.config.keys import keys_file
from engine_alpha.domain.orders import BUY, ENTRY, SELL, OrderIntent, Protection, client_id
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.ports import Event
from engine_alpha.trading.state import LiveOrder, LiveState, live_text, state_name

KEY, SECRET = "PlantedKey0123456789", "PlantedSecret9876543210"
PLANTED = (KEY, SECRET, "Planted", KEY[3:12], SECRET[3:12])
AT_MS = 1_795_000_000_000


def plant_keys(home: Path, venue: str = "bybit", text: str | None = None, mode: int = 0o600) -> Path:
    """Give a home keys for a venue."""
    path = keys_file(Home(home), venue)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"key": KEY, "secret": SECRET}) if text is None else text)
    path.chmod(mode)
    return path


def choose_environment(home: Path, environment: str) -> None:
    """Say in engine.json where real orders go."""
    file = home / "config" / "engine.json"
    engine = json.loads(file.read_text())
    engine["live"]["environment"] = environment
    file.write_text(json.dumps(engine, indent=2))


def a_live_state(symbol: str = "ETHUSDT", **changes: Any) -> LiveState:
    """Return a flat asset at bybit whose books agree, with changes."""
    return LiveState(symbol=symbol, venue="bybit", **changes)


def holding(symbol: str = "ETHUSDT", **changes: Any) -> LiveState:
    """Return an asset that holds 0.5 with its stop at the venue."""
    protection = Protection(
        symbol=symbol, side=SELL, quantity_base="0.50", stop_price="2890.15", stop_id="chloe-st1"
    )
    held = {"ours_base": "0.50", "venue_base": "0.50", "protection": protection, "unprotected_ms": 1_250}
    return a_live_state(symbol, **{**held, **changes})


def an_order(status: str, symbol: str = "ETHUSDT", **changes: Any) -> LiveOrder:
    """Return an entry of 0.5 in some status."""
    intent = OrderIntent(
        client_id=client_id(symbol, "1h", AT_MS, ENTRY),
        symbol=symbol,
        leg=ENTRY,
        side=BUY,
        quantity_base="0.50",
        reduce_only=False,
        bar_ms=AT_MS,
        intended_ms=AT_MS,
    )
    return LiveOrder(**{"intent": intent, "status": status, "sent_ms": AT_MS, **changes})


def write_journal(home: Path, states: Iterable[LiveState], account: str = "live-testnet") -> None:
    """Give a live account a journal in which these states stand."""
    folder = home / "state" / account
    folder.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal.open(folder / JOURNAL_NAME)
    try:
        for place, state in enumerate(states):
            event = Event("live", state.symbol, f"{state.symbol}/{place}", AT_MS, "{}")
            journal.commit(AT_MS, [event], {state_name(state.symbol): live_text(state)})
    finally:
        journal.close()
