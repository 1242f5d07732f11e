"""Where a backtest and a rehearsal part: the first bar and field in which they differ, in words."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine_alpha.backtest import run
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import Decision, Record, Settlement, Verdict
from engine_alpha.loop.rehearse import RehearsalReport, rehearse
from engine_alpha.plans.history import History
from engine_alpha.ports import Journal
from engine_alpha.reports.run import TradeRow
from engine_alpha.step.recording import DECISION, NO_DECISION, SIDES, TRADE
from engine_alpha.step.text import named, to_number
from tests.unit.loop.runs import journal_of, payloads

NESTED = {"settlement": Settlement, "decision": Decision}


class Compared(NamedTuple):
    """How much was compared, and what differed first."""

    decisions: int
    trades: int
    difference: str | None


def compared(home: Home, history: History) -> Compared:
    """Play the history both ways. What one refuses as a whole the other must refuse, or have nothing of."""
    report, result, refusals = None, None, []
    try:
        report = rehearse(home, history)
    except ConfigError as refusal:
        refusals.append(f"the rehearsal refuses: {refusal}")
    try:
        result = run(home, history, keep_records=True)
    except ConfigError as refusal:
        refusals.append(f"the backtest refuses: {refusal}")
    if report is None or result is None:
        alike = len(refusals) == 2 or (report is not None and report.decisions == 0)
        return Compared(0, 0, None if alike else refusals[0])
    journal = journal_of(home, report.account)
    try:
        found = difference(journal, report, result, history.symbols)
    finally:
        journal.close()
    return Compared(report.decisions, report.trades, found)


def difference(
    journal: Journal, report: RehearsalReport, result: Any, symbols: tuple[str, ...]
) -> str | None:
    """Return what differs first: a coin's record, a trade, a refusal, a count, a digest; None if nothing.

    The digests hash every number of every record: only where they differ are the records walked.
    """
    digests = [(each.decisions_sha256, each.ledger_sha256) for each in (report, result)]
    if digests[0] != digests[1]:
        found = [record_difference(journal, result, symbol) for symbol in symbols]
        return min((first for first in found if first), default=(0, "the digests differ, no record does"))[1]
    return (
        trade_difference(journal, result.trades)
        or refusal_difference(journal, result.no_decisions)
        or total_difference(report, result)
    )


def record_difference(journal: Journal, result: Any, symbol: str) -> tuple[int, str] | None:
    """Return the close time and the description of a coin's first differing record."""
    wanted = {payload["record"][0]: payload for payload in payloads(journal, DECISION, symbol)}
    ran = {coin.symbol for coin in result.coins}
    rows = {int(row["open_ms"]): row for row in result.records(symbol)} if symbol in ran else {}
    for open_ms in sorted(wanted.keys() | rows.keys()):
        if open_ms not in rows:
            return open_ms, f"{symbol} bar {open_ms}: decided in the rehearsal, not in the backtest"
        if open_ms not in wanted:
            return open_ms, f"{symbol} bar {open_ms}: decided in the backtest, not in the rehearsal"
        for path, value in numbers_of(wanted[open_ms]):
            seen = rows[open_ms][path].item()
            if not (seen == value or (seen != seen and value != value)):
                text = (
                    f"{symbol} bar {open_ms}: {path} is {value!r} in the rehearsal, {seen!r} in the backtest"
                )
                return open_ms, text
    return None


def numbers_of(payload: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield path and value of every number of a stored decision that a digest reads."""
    record = named(Record, payload["record"])
    for name, kind in NESTED.items():
        if not isinstance(record[name], dict):
            record[name] = named(kind, record[name])
    record["decision"] = with_names(record["decision"])
    for name, value in record.items():
        yield from leaves(name, value)
    for spec, value in zip(SIGNALS, payload["signals"], strict=True):
        yield f"signals.{spec.name}", to_number(value)
    for card, (settlement, decision) in payload["shadows"].items():
        yield from leaves(f"{card}.settlement", named(Settlement, settlement))
        yield from leaves(f"{card}.decision", with_names(named(Decision, decision)))


def with_names(decision: dict[str, Any]) -> dict[str, Any]:
    """Return a decision whose verdicts have field names, too."""
    gates = {name: [named(Verdict, each) for each in decision[name]] for name in ("gates", "allocation")}
    return {**decision, **gates}


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every number below a path; the parts of an array are [0], [1] ..."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(f"{path}.{name}", part)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(f"{path}[{place}]", part)
    else:
        yield path, to_number(value)


def trade_difference(journal: Journal, trades: tuple[TradeRow, ...]) -> str | None:
    """Return the first field in which the trades differ."""
    wanted = sorted(payloads(journal, TRADE), key=lambda trade: (trade["entry_ms"], trade["symbol"]))
    rows = sorted(trades, key=lambda trade: (trade.entry_ms, trade.symbol))
    if len(wanted) != len(rows):
        return f"{len(wanted)} trades in the rehearsal, {len(rows)} in the backtest"
    for trade, row in zip(wanted, rows, strict=True):
        for name in TradeRow.__dataclass_fields__:
            seen = getattr(row, name)
            if (SIDES[seen] if name == "side" else seen) != trade[name]:
                text = f"{name} is {trade[name]!r} in the rehearsal, {seen!r} in the backtest"
                return f"trade {trade['id']}: {text}"
    return None


def refusal_difference(journal: Journal, refused: tuple[tuple[str, str, int], ...]) -> str | None:
    """Return the first coin and reason of bars without a decision that are counted differently."""
    wanted = Counter((each["symbol"], each["reason"]) for each in payloads(journal, NO_DECISION))
    seen = {(symbol, reason): count for symbol, reason, count in refused}
    for symbol, reason in sorted(wanted.keys() | seen.keys()):
        counts = wanted[symbol, reason], seen.get((symbol, reason), 0)
        if counts[0] != counts[1]:
            text = f"no decision on {counts[0]} bars in the rehearsal, on {counts[1]} in the backtest"
            return f"{symbol}, {reason}: {text}"
    return None


def total_difference(report: RehearsalReport, result: Any) -> str | None:
    """Return the first total that differs."""
    names = ("decisions", "equity_quote", "funding_quote", "funding_unknown_bars", "ambiguous")
    totals = {name: (getattr(report, name), getattr(result, name)) for name in names}
    totals["profit factor"] = (report.whole, result.factor())
    for symbol, factor in report.per_coin.items():
        totals[f"profit factor of {symbol}"] = (factor, result.factor(symbol))
    for name, (wanted, seen) in totals.items():
        if wanted != seen:
            return f"{name} is {wanted} in the rehearsal, {seen} in the backtest"
    return None
