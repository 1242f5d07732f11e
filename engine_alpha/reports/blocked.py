"""Why a coin has not traded: which gates blocked how many bars, and the bars without a decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.reports import gates
from engine_alpha.reports.status import fitted
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, count, percent
from engine_alpha.times import minute

MOST_SPANS, MOST_GATES = 3, 4
NO_RECORD = "no record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """One decided bar, as far as it matters for what blocked it."""

    open_ms: int
    card: int  # -1 where none fires
    entered: bool
    gates: Sequence[Sequence[Any]]  # (passed, seen, limit) per codes.OWN_GATES, then ACCOUNT_GATES


@dataclass(slots=True, kw_only=True)
class Blocks:
    """How often one gate blocked, how often it alone did, and the newest bar it did so on."""

    name: str
    bars: int = 0
    alone: int = 0
    open_ms: int = 0
    seen: Any = None
    limit: Any = None
    card: int = -1


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of one asset's bars since a time. `faults` are bars without a decision by reason."""

    symbol: str
    frame_ms: int
    bars: int = 0
    entered: int = 0
    blocks: dict[str, Blocks] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def ranked(self) -> list[Blocks]:
        """Return the gates that blocked, the most frequent first, in their own order where equal."""
        return sorted(self.blocks.values(), key=lambda one: (-one.bars, -one.alone))

    @property
    def undecided(self) -> int:
        """Return how many bars have no decision."""
        return sum(len(bars) for bars in self.faults.values())


_NAMES = (*OWN_GATES, *ACCOUNT_GATES)


def tally(
    symbol: str, frame_ms: int, decided: Iterable[Verdicts], faults: Sequence[Mapping[str, Any]]
) -> Tally:
    """Count what blocked, from decisions and bars without one, in any order.

    Where no card fires, `min_notional` has nothing to judge and does not count. A bar counts for each of its
    gates that said no, so the shares add up to more than one; a bar without a decision that was decided later
    is no fault, and one with several reasons counts for the newest.
    """
    found = Tally(symbol=symbol, frame_ms=frame_ms)
    known: set[int] = set()
    for verdicts in decided:
        known.add(verdicts.open_ms)
        found.bars += 1
        found.entered += verdicts.entered
        _count(found, verdicts)
    for fault in faults:
        if fault["open_ms"] not in known:
            known.add(fault["open_ms"])
            found.faults.setdefault(fault["reason"], []).append(fault["open_ms"])
    if known:
        found.first_ms, found.last_ms = min(known), max(known)
        missing = [at for at in range(found.first_ms, found.last_ms, frame_ms) if at not in known]
        if missing:
            found.faults[NO_RECORD] = missing
    return found


def _count(found: Tally, verdicts: Verdicts) -> None:
    refused = [
        (name, seen, limit)
        for name, (passed, seen, limit) in zip(_NAMES, verdicts.gates, strict=True)
        if not passed and not (verdicts.card < 0 and name == "min_notional")
    ]
    for name, seen, limit in refused:
        blocks = found.blocks.setdefault(name, Blocks(name=name))
        blocks.bars += 1
        blocks.alone += len(refused) == 1
        if verdicts.open_ms >= blocks.open_ms:
            blocks.open_ms, blocks.seen, blocks.limit = verdicts.open_ms, seen, limit
            blocks.card = verdicts.card


def blocks_table(found: Tally) -> Table:
    """Return the gates that blocked, the most frequent first, each with the newest bar it blocked on."""
    return Table(
        columns=columns("gate", ">bars", ">share", ">alone", "newest", ">seen", ">limit"),
        rows=tuple(
            (
                blocks.name,
                f"{blocks.bars:,}",
                percent(blocks.bars / found.bars, 0),
                f"{blocks.alone:,}",
                minute(blocks.open_ms),
                *_compared(blocks),
            )
            for blocks in found.ranked
        ),
    )


def _compared(blocks: Blocks) -> tuple[str, str]:
    gate = {"name": blocks.name, "passed": False, "seen": blocks.seen, "limit": blocks.limit}
    return gates.seen(gate), gates.limit(gate)


def example_words(found: Tally) -> str:
    """Return the most frequent gate's newest bar as a sentence; there is one."""
    top = found.ranked[0]
    seen, limit = _compared(top)
    told = f"it saw {seen}, its limit is {limit}"
    if top.name == "card_active":
        told = "no card fires" if top.card < 0 else "the card that fires may not trade"
    plain = gates.PLAIN_NO.get(top.name)
    return f"for example {minute(top.open_ms)}: {top.name}, {told}" + (f" ({plain})" if plain else "")


def fault_lines(found: Tally) -> list[str]:
    """Return the bars without a decision, a line per reason with their hours, the newest first."""
    lines = []
    for reason, bars in sorted(found.faults.items(), key=lambda one: -len(one[1])):
        spans = spans_of(bars, found.frame_ms)[::-1]
        told = ", ".join(_span_words(*span) for span in spans[:MOST_SPANS])
        more = f" and {len(spans) - MOST_SPANS} times more" if len(spans) > MOST_SPANS else ""
        lines.append(f"{reason}: {count(len(bars), 'bar')}, {told}{more}")
    return lines


def spans_of(bars: Iterable[int], frame_ms: int) -> list[tuple[int, int]]:
    """Return the first and last of every run of bars without a hole, oldest first."""
    spans: list[tuple[int, int]] = []
    for at_ms in sorted(bars):
        if spans and at_ms - spans[-1][1] <= frame_ms:
            spans[-1] = (spans[-1][0], at_ms)
        else:
            spans.append((at_ms, at_ms))
    return spans


def _span_words(first_ms: int, last_ms: int) -> str:
    if first_ms == last_ms:
        return minute(first_ms)
    last = minute(last_ms)
    return f"{minute(first_ms)} to {last[11:] if last[:10] == minute(first_ms)[:10] else last}"


def summary_table(all_found: Sequence[tuple[Tally, str]], width: int | None) -> Table:
    """Return one row per asset: since when, bars, bars without a decision, what blocked most."""
    made = Table(
        columns=columns("asset", "since", ">bars", ">undecided", "blocked by"),
        rows=tuple(
            (
                found.symbol,
                since,
                f"{found.bars:,}",
                f"{found.undecided:,}",
                ", ".join(
                    f"{blocks.name} {percent(blocks.bars / found.bars, 0)}"
                    for blocks in found.ranked[:MOST_GATES]
                )
                or NOTHING,
            )
            for found, since in all_found
        ),
    )
    return made if width is None else fitted(made, width)


def _most_words(found: Tally) -> str:
    most = found.ranked[:MOST_GATES]
    return ", ".join(f"{blocks.name} {percent(blocks.bars / found.bars, 0)}" for blocks in most)


def tally_fields(found: Tally) -> dict[str, Any]:
    """Return the counts for JSON."""
    return {
        "symbol": found.symbol,
        "first_open_ms": found.first_ms,
        "last_open_ms": found.last_ms,
        "bars": found.bars,
        "entries_decided": found.entered,
        "gates": [
            {
                "name": blocks.name,
                "bars": blocks.bars,
                "share_frac": blocks.bars / found.bars,
                "alone": blocks.alone,
                "example": {"open_ms": blocks.open_ms, "seen": blocks.seen, "limit": blocks.limit},
            }
            for blocks in found.ranked
        ],
        "undecided": [
            {
                "reason": reason,
                "bars": len(bars),
                "spans": [
                    {"first_open_ms": first, "last_open_ms": last}
                    for first, last in spans_of(bars, found.frame_ms)
                ],
            }
            for reason, bars in found.faults.items()
        ],
    }
