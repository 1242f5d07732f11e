"""What commands read from a journal: decisions, bars without one, trades."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine_alpha.cli.accounts import Account
from engine_alpha.ports import Journal, StoredEvent

DECISION, NO_DECISION, TRADE = "decision", "no_decision", "trade"
MOST_FAULTS = 1_000


def refuse_unknown(account: Account, journal: Journal | None, symbol: str) -> None:
    """Raise `ConfigError` for a symbol that neither the registry nor the journal knows."""
    from engine_alpha.config.assets import read_registry, unknown_symbol

    if journal is not None and next(journal.events(None, symbol), None) is not None:
        return
    registry = read_registry(account.home.registry)
    known = {asset.symbol for asset in registry.assets} | {fault.symbol for fault in registry.faults}
    if symbol not in known:
        raise unknown_symbol(symbol, registry, account.home.registry)


def last_written_ms(journal: Journal) -> int | None:
    """Return when the newest record was written, None for an empty journal."""
    stored = next(journal.events(newest_first=True), None)
    return None if stored is None else stored.at_ms


def last_decision(journal: Journal, symbol: str) -> dict[str, Any] | None:
    """Return the asset's newest stored decision, as `decision_view` has it."""
    from engine_alpha.step.recording import decision_view

    stored = next(journal.events(DECISION, symbol, newest_first=True), None)
    return None if stored is None else decision_view(json.loads(stored.event.payload))


def faults_after(journal: Journal, symbol: str, bar_ms: int) -> list[dict[str, Any]]:
    """Return why bars after the one that opened at `bar_ms` have no decision, newest first."""
    found: list[dict[str, Any]] = []
    for stored in journal.events(NO_DECISION, symbol, newest_first=True):
        if stored.event.bar_ms <= bar_ms or len(found) == MOST_FAULTS:
            break
        found.append(fault_fields(stored))
    return found


def fault_fields(stored: StoredEvent) -> dict[str, Any]:
    """Return a no-decision record for people."""
    payload = json.loads(stored.event.payload)
    return {name: payload[name] for name in ("open_ms", "timeframe", "reason", "detail")}


def trades_in(journal: Journal, symbol: str | None = None) -> list[dict[str, Any]]:
    """Return all closed trades, in the order they were written."""
    return [json.loads(stored.event.payload) for stored in journal.events(TRADE, symbol)]


def live_views(states: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what stands of every asset's real orders, by symbol, from all states of a journal."""
    from engine_alpha.reports.live import STATE_PREFIX, live_view

    found = {name: text for name, text in states.items() if name.startswith(STATE_PREFIX)}
    return {name.removeprefix(STATE_PREFIX): live_view(json.loads(text)) for name, text in found.items()}


def newest_trades(journal: Journal, symbol: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest closed trades, oldest of them first."""
    newest: Iterator[StoredEvent] = journal.events(TRADE, symbol, newest_first=True)
    found = [json.loads(stored.event.payload) for stored, _ in zip(newest, range(limit), strict=False)]
    return found[::-1]
