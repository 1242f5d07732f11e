"""The watch over armed assets: what their live trades say, read once, then trade by trade."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine_alpha.kernel.evidence import NO_WATCH, EvidenceTerms, Watch, watched
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.loop.arming import ArmedAsset
from engine_alpha.ports import Journal, StoredEvent
from engine_alpha.step.recording import TRADE


@dataclass(slots=True)
class Watched:
    """The watch over one asset since a person armed it, and the bar of the newest trade in it."""

    since_ms: int
    watch: Watch = NO_WATCH
    bar_ms: int = 0


@dataclass(slots=True)
class Watches:
    """The watches of one process: read from the journal once, then trade by trade.

    What they hold can be read again at any time; `seq` is the last event that is in them.
    """

    terms: EvidenceTerms | None = None
    seq: int = 0
    of: dict[str, Watched] = field(default_factory=dict)


def take_in_trades(
    watches: Watches, journal: Journal, armed: Mapping[str, ArmedAsset], terms: EvidenceTerms
) -> None:
    """Bring the watches up to date: new trades are added, what was armed anew is read again."""
    if terms != watches.terms:
        watches.of.clear()
        watches.terms = terms
    for symbol in watches.of.keys() - armed.keys():
        del watches.of[symbol]
    for stored in journal.events_after(watches.seq, (TRADE,)):
        known = watches.of.get(stored.event.symbol)
        if known is not None:
            _add(known, stored, terms)
    watches.seq = journal.last_seq()
    for symbol, asset in armed.items():
        known = watches.of.get(symbol)
        if known is None or known.since_ms != asset.at_ms:
            watches.of[symbol] = fresh = Watched(asset.at_ms)
            for stored in journal.events(TRADE, symbol):
                _add(fresh, stored, terms)


def _add(known: Watched, stored: StoredEvent, terms: EvidenceTerms) -> None:
    trade = json.loads(stored.event.payload)
    if trade["exit_ms"] >= known.since_ms and trade["r"] is not None:
        known.watch = watched(known.watch, float(trade["r"]), int(trade["exit_ms"]) // DAY_MS, terms)
        known.bar_ms = stored.event.bar_ms
