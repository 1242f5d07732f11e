"""What a compiled run hands out, and how the loop writes it there."""

from typing import Any, NamedTuple

from engine_alpha.backtest.compiling import inlined
from engine_alpha.backtest.words import (
    NAN,
    load_record_function,
    store_function,
    store_record_function,
    width_of,
)
from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import Decision, Record, Settlement, Tally, Trade

SETTLEMENT_WORDS, DECISION_WORDS = width_of(Settlement), width_of(Decision)
SHADOW_WORDS = SETTLEMENT_WORDS + DECISION_WORDS
TRADE_WORDS = width_of(Trade)
TIMES = 2  # words: open and close of the bar
RECORD_HEAD = TIMES + len(SIGNALS)
LEDGER_WORDS = TIMES + SETTLEMENT_WORDS + 1

load_tally, store_tally = load_record_function(Tally), store_record_function(Tally)
store_settlement, store_decision = store_function(Settlement, True), store_function(Decision, True)
store_trade = store_function(Trade)


def record_words(shadows: int) -> int:
    """Return how many words a record takes with room for so many shadow cards."""
    return RECORD_HEAD + DECISION_WORDS + shadows * SHADOW_WORDS + LEDGER_WORDS


class Output(NamedTuple):
    """What a run hands out. Records and trades are rows of words, `counts` of each."""

    counts: Any  # records, trades
    record_ints: Any
    record_floats: Any
    record_bar: Any  # bar each record belongs to, -1 at settlement without bars
    record_asset: Any
    trade_ints: Any
    trade_floats: Any
    trade_owner: Any  # asset, shadow card or -1, close of the bar
    regime: Any  # by bar, -1 undecided
    side: Any  # of the position after the bar
    equity: Any  # of the sub-account after the bar
    refused: Any  # asset x reason
    failed: Any  # asset x gate: said no
    blocked: Any  # asset x gate: said no to a card that fired
    fired: Any  # by asset
    tick_net: Any  # by tick: profit and loss of all assets
    tick_notional: Any
    steps: Any  # bars advanced by asset, and ticks played: of one element more


@inlined
def keep_tally(tallies: Any, record: Record) -> None:
    """Count the record's trade and decided entry for their cards."""
    trade, decision = record.settlement.trade, record.decision
    if trade.side != 0:
        store_tally(tallies[trade.card], tallied_trade(load_tally(tallies[trade.card]), trade))
    if decision.pending.side != 0:
        entered = tallied_entry(load_tally(tallies[decision.card]), record.close_ms)
        store_tally(tallies[decision.card], entered)


@inlined
def keep_trade(out: Output, trade: Trade, a: int, shadow: int, close_ms: int) -> None:
    """Hand out a closed trade; where there is no room it is counted, so that it is noticed."""
    at = out.counts[1]
    out.counts[1] = at + 1
    if at < len(out.trade_owner):
        store_trade(out.trade_ints, out.trade_floats, at, 0, trade)
        out.trade_owner[at, 0] = a
        out.trade_owner[at, 1] = shadow
        out.trade_owner[at, 2] = close_ms


@inlined
def keep_record(out: Output, a: int, row: int, record: Record, seen: Floats) -> None:
    """Hand out a record: times, signals, decision, and after the shadows' room times, settlement, equity."""
    at = out.counts[0]
    out.counts[0] = at + 1
    out.record_asset[at] = a
    out.record_bar[at] = row
    ints, floats = out.record_ints, out.record_floats
    ints[at, 0] = record.open_ms
    ints[at, 1] = record.close_ms
    for k in range(len(seen)):
        floats[at, TIMES + k] = seen[k] if seen[k] == seen[k] else NAN
    store_decision(ints, floats, at, RECORD_HEAD, record.decision)
    tail = ints.shape[1] - LEDGER_WORDS
    ints[at, tail] = record.open_ms
    ints[at, tail + 1] = record.close_ms
    store_settlement(ints, floats, at, tail + TIMES, record.settlement)
    floats[at, tail + TIMES + SETTLEMENT_WORDS] = record.equity_quote


@inlined
def count_gates(out: Output, a: int, decision: Decision, records: int) -> None:
    """Count who said no to a card that fired, and with records who said no at all."""
    fired = 1 if decision.card >= 0 else 0
    out.fired[a] += fired
    if fired == 0 and records == 0:
        return
    place = 0
    for verdict in decision.gates:
        out.failed[a, place] += 1 - verdict.passed
        out.blocked[a, place] += fired * (1 - verdict.passed)
        place += 1
    for verdict in decision.allocation:
        out.failed[a, place] += 1 - verdict.passed
        out.blocked[a, place] += fired * (1 - verdict.passed)
        place += 1
