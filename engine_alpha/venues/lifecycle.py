"""Where a contract stands in its life, and what that means for entries and for a position.

A contract that follows a settled one is a new contract: no position and no history is ever carried over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.venue_facts import CLOSING, NOT_LISTED, SETTLED, TRADING, SymbolFacts
from engine_alpha.kernel.money import DAY_MS

# stages
TRADES: Final = "trading"
ANNOUNCED: Final = "announced"  # the day of its end is known
REDUCE_ONLY: Final = "reduce_only"  # the venue takes no new positions
ENDED: Final = "settled"
NOT_YET: Final = "not_listed"

LEAVE_BEFORE_MS: Final = DAY_MS  # as the step leaves a contract whose end its snapshot names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """A contract's stage. `close_by_ms`: a position is to be left from then on, None for no such time.

    `sentence` says it to people with what to do, "" while the contract simply trades.
    """

    stage: str
    close_by_ms: int | None
    sentence: str

    @property
    def may_enter(self) -> bool:
        """Say whether new positions may be taken."""
        return self.stage == TRADES

    def must_leave(self, now_ms: int) -> bool:
        """Say whether a position is to be left now."""
        return self.close_by_ms is not None and now_ms >= self.close_by_ms


def lifecycle_of(facts: SymbolFacts, instrument: Instrument, now_ms: int) -> Lifecycle:
    """Return where the contract stands now.

    The venue's date of the end counts before the snapshot's; without one, a contract that takes no new
    positions is to be left at once: its settlement may come any minute.
    """
    name = f"{instrument.symbol} at {instrument.venue}"
    end_ms = facts.delisted_ms if facts.delisted_ms is not None else instrument.settled_ms
    if facts.status == SETTLED:
        return _ended(name, instrument, end_ms)
    if facts.status == NOT_LISTED:
        return _unlisted(name, instrument, end_ms, now_ms)
    if facts.status == CLOSING or (end_ms is not None and now_ms >= end_ms):
        return _reduce_only(name, instrument, end_ms, now_ms)
    if end_ms is not None:
        return _announced(name, instrument, end_ms)
    if facts.status == TRADING:
        return Lifecycle(stage=TRADES, close_by_ms=None, sentence="")
    return _reduce_only(name, instrument, end_ms, now_ms)


def _announced(name: str, instrument: Instrument, end_ms: int) -> Lifecycle:
    close_by_ms = end_ms - LEAVE_BEFORE_MS
    sentence = (
        f"{name} will be settled on {_when(end_ms)}: no new entries, a position is left by "
        f"{_when(close_by_ms)}{_successor(instrument)}"
    )
    return Lifecycle(stage=ANNOUNCED, close_by_ms=close_by_ms, sentence=sentence)


def _reduce_only(name: str, instrument: Instrument, end_ms: int | None, now_ms: int) -> Lifecycle:
    close_by_ms = now_ms if end_ms is None else min(now_ms, end_ms - LEAVE_BEFORE_MS)
    until = f" and is settled on {_when(end_ms)}" if end_ms is not None else ""
    sentence = f"{name} takes no new positions{until}: a position is left now{_successor(instrument)}"
    return Lifecycle(stage=REDUCE_ONLY, close_by_ms=close_by_ms, sentence=sentence)


def _ended(name: str, instrument: Instrument, end_ms: int | None) -> Lifecycle:
    when = f" on {_when(end_ms)}" if end_ms is not None else ""
    sentence = f"{name} was settled{when}: disable it{_successor(instrument)}"
    return Lifecycle(stage=ENDED, close_by_ms=None, sentence=sentence)


def _unlisted(name: str, instrument: Instrument, end_ms: int | None, now_ms: int) -> Lifecycle:
    """Tell one that is yet to come from one that the venue lists no more."""
    if instrument.listed_ms is not None and now_ms < instrument.listed_ms:
        sentence = f"{name} begins to trade on {_when(instrument.listed_ms)}: wait until then"
        return Lifecycle(stage=NOT_YET, close_by_ms=None, sentence=sentence)
    if end_ms is not None and now_ms >= end_ms:
        return _ended(name, instrument, end_ms)
    sentence = f"{name} is not listed: check the symbol, or disable it{_successor(instrument)}"
    return Lifecycle(stage=NOT_YET, close_by_ms=None, sentence=sentence)


def _successor(instrument: Instrument) -> str:
    if instrument.successor is None:
        return ""
    return (
        f"; {instrument.successor} follows it as a contract of its own: "
        "add that as a new asset, no position or history carries over"
    )


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
