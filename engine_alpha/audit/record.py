"""What an account's journal says of one asset: its newest bars, faults, trades and money."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.ports import Journal
from engine_alpha.step.recording import DECISION, NO_DECISION, ROLLOUT, TRADE, named_record
from engine_alpha.step.state import AssetState, state_of

SPAN_MS = 7 * DAY_MS
"""How far back an audit looks at bars and faults."""

MOST_BARS = 2_000  # of them, however short the bars are


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One asset in one account. Without a journal, or before its first bar, it is empty.

    `newest` is the last decision, its record with names; `decided_ms` are the open times of the bars decided
    within the span, oldest first, `sizes_quote` what the cards that fired on them wanted. `faults` counts the
    bars that have no decision by reason, `first_ms` is the first bar ever decided.
    """

    account: str
    simulated: bool
    state: AssetState | None = None
    newest: Mapping[str, Any] | None = None
    decided_ms: tuple[int, ...] = ()
    sizes_quote: tuple[float, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    newest_fault: str = ""
    first_ms: int | None = None
    trades: tuple[Mapping[str, Any], ...] = ()

    @property
    def close(self) -> float | None:
        """Return the last close that was decided on; None for none."""
        return None if self.newest is None else float(self.newest["close"])


def record_of(journal: Journal, symbol: str, told: tuple[str, bool], now_ms: int) -> Record:
    """Return what a journal says of an asset; `told` is the account, and whether it is simulated."""
    account, simulated = told
    text = journal.states().get(symbol)
    if text is None:
        faults, newest_fault = _faults(journal, symbol, now_ms, set())
        return Record(account=account, simulated=simulated, faults=faults, newest_fault=newest_fault)
    state = state_of(text)
    payloads = list(_decisions(journal, symbol, now_ms))
    decided = {int(payload["record"][0]) for payload in payloads}
    faults, newest_fault = _faults(journal, symbol, now_ms, decided)
    first = next(journal.events(DECISION, symbol), None)
    return Record(
        account=account,
        simulated=simulated,
        state=state,
        newest=_viewed(payloads[0]) if payloads else None,
        decided_ms=tuple(sorted(decided)),
        sizes_quote=tuple(_sizes(payloads)),
        faults=faults,
        newest_fault=newest_fault,
        first_ms=None if first is None else first.event.bar_ms,
        trades=tuple(trades_of(journal, symbol)),
    )


def trades_of(journal: Journal, symbol: str) -> list[dict[str, Any]]:
    """Return an asset's closed trades, oldest first."""
    return [json.loads(stored.event.payload) for stored in journal.events(TRADE, symbol)]


def returned_ms(journal: Journal, symbol: str) -> int:
    """Return when an asset's trades last took it back to paper: proof begins anew there; 0 for never."""
    for stored in journal.events(ROLLOUT, symbol, newest_first=True):
        if json.loads(stored.event.payload)["to"] == "paper":
            return stored.at_ms
    return 0


def _decisions(journal: Journal, symbol: str, now_ms: int) -> Iterator[dict[str, Any]]:
    """Yield the decisions of the span, newest first; the last one of all whenever it was."""
    since_ms = now_ms - SPAN_MS
    for place, stored in enumerate(journal.events(DECISION, symbol, newest_first=True)):
        if place and (stored.event.bar_ms < since_ms or place == MOST_BARS):
            return
        yield json.loads(stored.event.payload)


def _viewed(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**payload, "record": named_record(payload["record"])}


def _sizes(payloads: list[dict[str, Any]]) -> Iterator[float]:
    """Yield what each card that fired wanted to buy or sell: the size before caps and minimums, in quote."""
    for payload in payloads:
        decision = named_record(payload["record"])["decision"]
        if decision["card"] >= 0:
            wanted_base = float(decision["size"]["unclipped_base"])
            yield wanted_base * float(payload["close"]) / float(payload.get("size_factor", 1.0))


def _faults(journal: Journal, symbol: str, now_ms: int, decided: set[int]) -> tuple[dict[str, int], str]:
    """Return how many bars of the span have no decision, by the last reason, and the newest one in words."""
    reasons: dict[int, str] = {}
    newest = ""
    for stored in journal.events(NO_DECISION, symbol, newest_first=True):
        if stored.event.bar_ms < now_ms - SPAN_MS or len(reasons) == MOST_BARS:
            break
        if stored.event.bar_ms in decided or stored.event.bar_ms in reasons:
            continue
        payload = json.loads(stored.event.payload)
        reasons[stored.event.bar_ms] = payload["reason"]
        newest = newest or f"{payload['reason']}: {payload['detail']}"
    return dict(Counter(reasons.values())), newest


def frame_ms_of(asset: AssetConfig | None, record: Record) -> int:
    """Return the length of an asset's bars; an hour where nothing tells it."""
    if asset is not None:
        return asset.timeframe_ms
    known = record.state.config.base_timeframe if record.state is not None else "1h"
    return TIMEFRAME_MS.get(known, 3_600_000)
