"""What a reader has to know about a history before believing what was made of it."""

from collections.abc import Iterator

import numpy as np

from engine_alpha.backtest.request import Gathered
from engine_alpha.backtest.world import Columns, Prepared
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.signals import FUNDING_PRESSURE, SIGNALS
from engine_alpha.plans.history import History, due_numbers
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.words import count, day
from engine_alpha.times import minute


def history_notes(setup: Setup, wanted: History, found: Gathered, columns: Columns) -> tuple[str, ...]:
    """Return what was asked for and is not there, one sentence each, coins of one fate together."""
    fates: dict[str, list[str]] = {}
    for a, each in enumerate(found.assets):
        rows = columns.row_at[columns.first[a] : columns.end[a]]
        for words in (*_missing(each, wanted), *_unknown_signals(each, columns.rows, rows[rows > 0])):
            fates.setdefault(words, []).append(each.plan.asset.symbol)
    faults = [f"a card is left out: {fault.splitlines()[0]}" for fault in setup.general_faults()]
    return (*faults, *(f"{', '.join(symbols)}: {words}" for words, symbols in fates.items()))


def _missing(each: Prepared, wanted: History) -> Iterator[str]:
    yield from _listing(each, wanted)
    yield from _span(each, wanted)
    if len(each.bars):
        yield from _minutes(each, wanted)


def _listing(each: Prepared, wanted: History) -> Iterator[str]:
    instrument = each.plan.instrument
    if instrument.listed_ms is not None and instrument.listed_ms > wanted.from_ms:
        yield f"listed {minute(instrument.listed_ms)}; nothing is decided before"
    if instrument.settled_ms is not None and instrument.settled_ms < wanted.to_ms:
        successor = f", successor {instrument.successor}" if instrument.successor else ""
        yield f"settled {day(instrument.settled_ms)}{successor}; a position is left before that"


def _span(each: Prepared, wanted: History) -> Iterator[str]:
    """Say where the bars begin late or end early, unless the contract's own dates say why."""
    frame_ms = each.plan.asset.timeframe_ms
    first, end = due_numbers(each.plan.asset, wanted)
    numbers = each.bars.open_ms // frame_ms
    due = numbers[(numbers >= first) & (numbers < end)]
    if len(due) == 0:
        yield "no bar opens in this span"
        return
    begins, ends = int(due[0]), int(due[-1]) + 1
    instrument = each.plan.instrument
    if begins > first and begins * frame_ms > (instrument.listed_ms or 0) + frame_ms:
        yield f"bars begin {minute(begins * frame_ms)}, {count(begins - first, 'bar')} after --from"
    if ends < end and (instrument.settled_ms is None or ends * frame_ms < instrument.settled_ms - frame_ms):
        yield (
            f"bars end {minute(ends * frame_ms)}, {count(end - ends, 'bar')} before --to; what is open then"
            " is left at its last close, in this report alone"
        )


def _minutes(each: Prepared, wanted: History) -> Iterator[str]:
    if each.plan.detail is None:
        return
    decided = each.bars.open_ms >= wanted.from_ms
    without = int(np.count_nonzero(each.detail.minute_count[decided] == 0))
    if without:
        bars = count(int(np.count_nonzero(decided)), "bar")
        yield f"no {each.plan.detail} bars inside {without:,} of {bars}: there the stop counts first"


def _unknown_signals(each: Prepared, table: Floats, rows: Ints) -> Iterator[str]:
    """Name every card that asks for a signal which no bar of this history has; `rows` are its bars'."""
    rules = each.plan.rules
    for name, card in zip(each.plan.names, rules.cards, strict=True):
        for fate, first, end in (
            ("never enters", card.entry_first, card.entry_end),
            ("never leaves by its conditions", card.exit_first, card.exit_end),
        ):
            for code in sorted({condition.signal for condition in rules.conditions[first:end]}):
                if not _is_known(table, rows, code):
                    source = "; there is no funding in the data" if code == FUNDING_PRESSURE else ""
                    signal = SIGNALS[code].name
                    yield f"card {name} {fate}: it asks for {signal}, unknown on every bar{source}"


def _is_known(table: Floats, rows: Ints, code: int) -> bool:
    """Say whether any bar has this signal, the newest first: it mostly does."""
    return bool(np.isfinite(table[rows[-1:], code]).any() or np.isfinite(table[rows, code]).any())
