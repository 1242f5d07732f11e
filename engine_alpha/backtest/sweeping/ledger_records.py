"""What the trial ledger holds: events of trials, and the counts that they add up to."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from engine_alpha.backtest.sweeping.outcome import Outcome
from engine_alpha.ports import Event, StoredEvent

STUDY, TRIAL, OUTCOME, FAULT, RESET = "study", "trial", "outcome", "fault", "reset"
TOTAL: Final = "total"

States = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What the trials of one sweep have in common. `varied` is as typed, `documents` are cards or "risk"."""

    method: str
    seed: int | None
    objective: str
    varied: tuple[str, ...]
    documents: tuple[str, ...]
    venue: str
    symbols: tuple[str, ...]
    from_ms: int
    to_ms: int
    data_sha256: str
    code_sha256: str

    @property
    def key(self) -> str:
        """Return a hash of all of it."""
        return sha256_of(asdict(self))

    @property
    def group(self) -> str:
        """Name what is counted together: the same documents varied on the same coins and span."""
        return sha256_of([self.documents, self.venue, sorted(self.symbols), self.from_ms, self.to_ms])[:16]

    def trial_key(self, fingerprint: str) -> str:
        """Return the key of a trial: same data, coins, span, code and configuration are the same trial."""
        data = [self.venue, sorted(self.symbols), self.from_ms, self.to_ms, self.data_sha256]
        return sha256_of([data, self.code_sha256, fingerprint])


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Trials that are counted together; `finished` of them have a result."""

    documents: tuple[str, ...]
    venue: str
    symbols: tuple[str, ...]
    from_ms: int
    to_ms: int
    trials: int
    finished: int
    studies: int
    first_at_ms: int
    last_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSummary:
    """All that was ever tried. `lost` trials are known to have been run, but the ledger that listed them is
    gone; it happened `resets` times.
    """

    listed: int
    lost: int
    resets: int
    groups: tuple[Group, ...]

    @property
    def known(self) -> int:
        """How many trials were run, listed or not."""
        return self.listed + self.lost

    def matching(self, documents: Collection[str] = (), symbols: Collection[str] = ()) -> int:
        """Count the trials that varied any of these documents on any of these coins; none named is any.

        A document is a card's name, or "risk". All lost trials count: they may have been such ones.
        """
        return self.lost + sum(
            group.trials
            for group in self.groups
            if (not documents or not set(documents).isdisjoint(group.documents))
            and (not symbols or not set(symbols).isdisjoint(group.symbols))
        )


def fold(states: States, stored: StoredEvent) -> States:
    """Return the counts after one more event."""
    kind, payload = stored.event.kind, json.loads(stored.event.payload)
    if kind == RESET:
        _count(states, TOTAL, _NONE, lost=payload["lost"], resets=1)
    elif kind == STUDY:
        described = {name: payload[name] for name in _DESCRIBED}
        _count(states, _group(payload), {**described, **_NO_TRIALS, "first_at_ms": stored.at_ms}, studies=1)
    elif kind == TRIAL:
        _count(states, TOTAL, _NONE, trials=1)
        _count(states, _group(payload), {}, trials=1)
    elif kind == OUTCOME:
        _count(states, _group(payload), {}, finished=1)
    if kind in (STUDY, TRIAL):
        group = json.loads(states[_group(payload)])
        states[_group(payload)] = _text({**group, "last_at_ms": stored.at_ms})
    return states


_NONE: Final = {"trials": 0, "lost": 0, "resets": 0}
_NO_TRIALS: Final = {"trials": 0, "finished": 0, "studies": 0}
_DESCRIBED: Final = ("documents", "venue", "symbols", "from_ms", "to_ms")


def _count(states: States, name: str, fresh: Mapping[str, Any], **more: int) -> None:
    counts = json.loads(states[name]) if name in states else dict(fresh)
    for what, amount in more.items():
        counts[what] += amount
    states[name] = _text(counts)


def _group(payload: Mapping[str, Any]) -> str:
    return f"group:{payload['group']}"


def summary_of(states: Mapping[str, str]) -> LedgerSummary:
    """Return the counts as a value."""
    total = json.loads(states[TOTAL]) if TOTAL in states else _NONE
    groups = [json.loads(text) for name, text in states.items() if name != TOTAL]
    return LedgerSummary(
        listed=total["trials"],
        lost=total["lost"],
        resets=total["resets"],
        groups=tuple(
            Group(**{**group, "documents": tuple(group["documents"]), "symbols": tuple(group["symbols"])})
            for group in sorted(groups, key=lambda one: (one["first_at_ms"], one["last_at_ms"]))
        ),
    )


def result_event(study: Study, key: str, found: Outcome | str) -> Event:
    """Return what a trial came to as an event: an outcome, or in words why there is none."""
    about = {"study": study.key, "group": study.group}
    if isinstance(found, str):
        return event_of(FAULT, key, {**about, "fault": found})
    fields = {
        "net_quote": found.net_quote,
        "factor": _plain(found.factor),
        "sharpe": found.sharpe,
        "max_drawdown_frac": found.max_drawdown_frac,
        "daily": None if found.daily is None else asdict(found.daily),
        "per_coin": {symbol: _plain(factor) for symbol, factor in found.per_coin.items()},
        "trades_sha256": found.trades_sha256,
    }
    return event_of(OUTCOME, key, {**about, **fields})


def _plain(factor: Any) -> list[Any]:
    """Return a profit factor as JSON can hold it: infinity as text."""
    return ["inf" if value == float("inf") else value for value in factor]


def event_of(kind: str, key: str, payload: Mapping[str, Any]) -> Event:
    """Return an event of the ledger."""
    return Event(kind, "", key, 0, _text(payload))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of(value: Any) -> str:
    """Return a hash of a value as JSON."""
    return hashlib.sha256(_text(value).encode()).hexdigest()
