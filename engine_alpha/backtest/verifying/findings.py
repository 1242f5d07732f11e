"""What a verification finds: one value per cause and thing, with how many decisions it touches."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

BAR_REVISED: Final = "bar_revised"
BAR_LATE: Final = "bar_late"
BAR_MISSING_NOW: Final = "bar_missing_now"
BAR_MISSING_THEN: Final = "bar_missing_then"
MINUTES_DIFFER: Final = "minutes_differ"
FUNDING_DIFFERS: Final = "funding_differs"
CONFIG_CHANGED: Final = "config_changed"
CARDS_CHANGED: Final = "cards_changed"
PARAMETERS_CHANGED: Final = "parameters_changed"
ENGINE_VERSION: Final = "engine_version"
FILL_DIFFERS: Final = "fill_differs"
SIGNALS_DIFFER: Final = "signals_differ"
DECISION_DIFFERS: Final = "decision_differs"
STATE_DIFFERS: Final = "state_differs"

CAUSES: Final = (
    *(BAR_REVISED, BAR_LATE, BAR_MISSING_NOW, BAR_MISSING_THEN, MINUTES_DIFFER, FUNDING_DIFFERS),
    *(CONFIG_CHANGED, CARDS_CHANGED, PARAMETERS_CHANGED, ENGINE_VERSION),
    *(FILL_DIFFERS, SIGNALS_DIFFER, DECISION_DIFFERS, STATE_DIFFERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key or number, as it was and as it is; None where it is not known or not there."""

    key: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between a journal and what its bars and files say now.

    `symbols` are the assets it touches, `subject` the file, card, fill or version it is about. For the causes
    that begin with "bar" `first_ms` and `last_ms` are the open times of the bars in question, else those of
    the first and last decision touched. `decisions` counts the decisions that saw it, `different` those of
    them that come out differently if decided again now; None where that can't be told.
    """

    cause: str
    symbols: tuple[str, ...]
    first_ms: int
    last_ms: int
    decisions: int
    subject: str = ""
    different: int | None = None
    changes: tuple[Change, ...] = ()
    detail: str = ""


@dataclass(slots=True)
class Findings:
    """Gathers findings; those about decisions become one where cause, subject and changes are the same."""

    _found: dict[tuple[Any, ...], Finding] = field(default_factory=dict)

    def add_bars(self, one: Finding) -> None:
        """Take in a finding about bars: it stands for itself."""
        self._found[(one.cause, one.symbols, one.first_ms, one.last_ms)] = one

    def add(self, one: Finding, apart: bool = True) -> None:
        """Take in a finding about one decision; if not `apart`, also assets become one."""
        changes = tuple((change.key, str(change.then), str(change.now)) for change in one.changes)
        key = (one.cause, one.subject, changes, one.symbols if apart else ())
        known = self._found.get(key)
        self._found[key] = one if known is None else _joined(known, one)

    def sorted(self) -> tuple[Finding, ...]:
        """Return all: by cause in the order of `CAUSES`, then by time and asset."""
        return tuple(
            sorted(
                self._found.values(),
                key=lambda one: (CAUSES.index(one.cause), one.first_ms, one.symbols, one.subject),
            )
        )


def _joined(one: Finding, more: Finding) -> Finding:
    different = None
    if one.different is not None and more.different is not None:
        different = one.different + more.different
    return replace(
        one,
        symbols=tuple(dict.fromkeys((*one.symbols, *more.symbols))),
        first_ms=min(one.first_ms, more.first_ms),
        last_ms=max(one.last_ms, more.last_ms),
        decisions=one.decisions + more.decisions,
        different=different,
    )


def runs_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as (first, last) of each unbroken run."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
