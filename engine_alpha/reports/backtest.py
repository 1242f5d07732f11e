"""A run's numbers as tables, lines and JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import AccountStatistics, Statistics, TradeStatistics
from engine_alpha.reports.table import Table, columns, pairs
from engine_alpha.reports.terms import GATE_WORDS
from engine_alpha.reports.words import (
    NOTHING,
    count,
    day,
    factor,
    factor_fields,
    factor_value,
    gain,
    interval,
    money,
    multiple_of_risk,
    percent,
    plain,
)

WHOLE = "all"
WIDE = 118
REASON_WORDS = {
    "empty": "there is no bar so far",
    "off_grid": "a bar it reads opens between two others",
    "nan": "a price it reads is no number",
    "not_positive": "a price it reads is zero or less",
    "impossible_bar": "a bar it reads opens or closes outside of its high and low",
    "impossible_mark": "a mark price it reads can't be",
    "absurd_jump": "the price has just jumped absurdly",
    "frozen": "the price stands still without volume",
    "stale": "the bar is not there",
    "missing": "the bar never came",
    "missing_series": "there are no such bars",
    "config": "not listed then, or refused by its configuration",
}
"""Why a bar has no decision; the codes are those of decision records."""


def summary_tables(found: Statistics, wide: bool = True) -> list[Table]:
    """Return one table by coin, one by card, one by regime; costs are inside all but the gross factor.

    With `wide` they need up to `WIDE` columns of a terminal; without, what fits into 80 is left.
    """
    groups = {"coin": found.per_coin, "card": found.per_card, "regime": found.per_regime}
    return [_summary_table(by, group, found.whole, wide) for by, group in groups.items()]


def _summary_table(
    by: str, groups: Mapping[str, TradeStatistics], whole: TradeStatistics, wide: bool
) -> Table:
    heads = (by, ">n", ">PF", ">95 % interval", ">R a trade", ">net")
    more = (">PF gross", ">win rate", ">fees", ">slippage", ">funding")
    return Table(
        columns=columns(*heads, *(more if wide else ())),
        rows=(*(_row(name, group, wide) for name, group in groups.items()), _row(WHOLE, whole, wide)),
        total=True,
    )


def _row(name: str, group: TradeStatistics, wide: bool) -> tuple[str, ...]:
    row = (
        name,
        f"{group.trades:,}",
        factor_value(group.net),
        interval(group.net),
        multiple_of_risk(group.expectancy_r),
        gain(group.net_quote),
    )
    if not wide:
        return row
    return (
        *row,
        factor_value(group.gross),
        percent(group.net.win_frac, 0),
        gain(-group.fees_quote),
        gain(-group.slippage_quote),
        gain(group.funding_quote),
    )


def blocked_table(found: Statistics, every_bar: bool = True) -> Table | None:
    """Return which gates refused entries that a card wanted, the most refusing first; None if none did.

    Without `every_bar` the run looked no further where no card fired: what gates said there is left out.
    """
    refusing = [gate for gate in found.gates if gate.blocked]
    if not refusing:
        return None
    heads = ("gate", ">refused", ">of them", *((">said no in all",) if every_bar else ()), "")
    return Table(
        title=f"why entries were blocked: a card fired on {count(found.wanted, 'bar')}",
        columns=columns(*heads),
        rows=tuple(
            (
                gate.gate,
                f"{gate.blocked:,}",
                percent(gate.blocked / found.wanted if found.wanted else None, 0),
                *((f"{gate.failed:,}",) if every_bar else ()),
                GATE_WORDS.get(gate.gate, ""),
            )
            for gate in refusing
        ),
    )


def backtest_lines(counts: Mapping[str, Any], found: Statistics) -> list[str]:
    """Return how much was decided, how long it took, and the digests where they were taken.

    `counts` has decisions, seconds, forced_exits, decisions_sha256 and ledger_sha256, the last two None if
    they were not taken.
    """
    forced = ""
    if counts["forced_exits"]:
        forced = f", {counts['forced_exits']:,} of them left where the coin's bars end"
    rows = [
        ("decisions", f"{counts['decisions']:,} in {counts['seconds']:.1f} s from start to end"),
        ("trades", traded_words(found) + forced),
    ]
    if counts["decisions_sha256"] is None:
        rows.append(("digests", "not taken; with --digests, to compare with chloe rehearse"))
    else:
        rows += [(name, counts[name]) for name in ("decisions_sha256", "ledger_sha256")]
    return pairs(rows)


def traded_words(found: Statistics) -> str:
    """Return how many trades were closed; if none, whether anything wanted one."""
    if found.whole.trades:
        return f"{found.whole.trades:,}"
    if not found.wanted:
        return "0: no card fired on any bar"
    return f"0 closed; a card fired on {count(found.wanted, 'bar')}"


def account_lines(run: Run, found: Statistics) -> list[str]:
    """Return the account's numbers, labelled, with what the reader should know about them."""
    account, whole = found.account, found.whole
    rows = [
        ("equity", equity_words(account, run.quote_ccy)),
        ("growth a year", signed_percent(account.growth_frac)),
        ("Sharpe", ratio_words(account.sharpe)),
        ("Sortino", ratio(account.sortino)),
        ("Calmar", ratio(account.calmar)),
        ("max drawdown", drawdown_words(account)),
        ("exposure", exposure_words(account)),
        ("a trade", trade_words(whole)),
        ("SQN", ratio(whole.sqn)),
        ("costs", cost_words(whole)),
        ("ambiguous", ambiguous_words(whole)),
    ]
    if run.funding_unknown_bars:
        rows.append(("funding", funding_words(run)))
    return [*pairs(rows), *no_decision_words(run), *(f"note: {note}" for note in run.notes)]


def ratio(value: float | None) -> str:
    """Return a ratio; a dash where it is undefined."""
    return NOTHING if value is None else f"{value:.2f}"


def ratio_words(value: float | None) -> str:
    """Return a ratio of daily returns and which ones they are."""
    return ratio(value) if value is None else f"{ratio(value)}, of daily returns, 365 days a year"


def equity_words(account: AccountStatistics, quote_ccy: str) -> str:
    """Return where the account stands and what part of it no closed trade holds yet."""
    words = f"{money(account.end_quote)} {quote_ccy}, {signed_percent(account.return_frac)}"
    if gain(account.open_quote) == "0.00":
        return words
    return f"{words}; {gain(account.open_quote)} of it from open positions at their last close"


def drawdown_words(account: AccountStatistics) -> str:
    """Return the deepest drawdown, its length and whether it is over."""
    deepest = account.drawdown
    if deepest is None or deepest.frac == 0.0:
        return "none"
    ending = f"over {day(deepest.until_ms)}" if deepest.over else "not over yet"
    began = f"{deepest.days:,.1f} days from {day(deepest.from_ms)}"
    return f"{percent(deepest.frac)}, {money(deepest.quote)}; {began}, {ending}"


def exposure_words(account: AccountStatistics) -> str:
    """Return how much of the time anything was held, and how much on average."""
    held = percent(account.notional_frac)
    return f"in the market {percent(account.exposure_frac)} of the time; held on average {held} of equity"


def trade_words(whole: TradeStatistics) -> str:
    """Return the average win and loss, and the longest losing run."""
    if whole.trades == 0:
        return NOTHING
    won = NOTHING if whole.average_win_quote is None else gain(whole.average_win_quote)
    lost = NOTHING if whole.average_loss_quote is None else gain(whole.average_loss_quote)
    return f"average win {won}, average loss {lost}; longest losing run {count(whole.losing_run, 'trade')}"


def cost_words(whole: TradeStatistics) -> str:
    """Return what the trades made before costs, each cost, and what was left."""
    return (
        f"{gain(whole.before_costs_quote)} before costs; slippage {gain(-whole.slippage_quote)},"
        f" fees {gain(-whole.fees_quote)}, funding {gain(whole.funding_quote)}; {gain(whole.net_quote)} net"
    )


def ambiguous_words(whole: TradeStatistics) -> str:
    """Return how many bars held stop and target both, and the profit factor had they gone the other way."""
    words = count(whole.ambiguous, "bar") + " held stop and target both; the stop counts"
    if not whole.ambiguous:
        return words
    return f"{words}: PF {factor(whole.net)}; PF {factor(whole.other)} had they gone the other way"


def funding_words(run: Run) -> str:
    """Return on how many bars funding was not known."""
    return f"unknown and counted as 0 on {count(run.funding_unknown_bars, 'bar')} in a position"


def no_decision_words(run: Run) -> list[str]:
    """Return which bars have no decision, and why."""
    return [
        f"{symbol}: no decision on {count(times, 'bar')}: {reason}{_explained(reason)}"
        for symbol, reason, times in run.no_decisions
    ]


def _explained(reason: str) -> str:
    return f" ({REASON_WORDS[reason]})" if reason in REASON_WORDS else ""


def signed_percent(frac: float | None) -> str:
    """Return a fraction in percent with its sign; zero, also a rounded one, has none."""
    text = percent(frac)
    return f"+{text}" if frac is not None and frac > 0.0 and text != percent(0.0) else text


def statistics_fields(found: Statistics) -> dict[str, Any]:
    """Return all numbers for JSON; undefined ones are null, infinite ones "inf"."""
    account = asdict(found.account)
    deepest = found.account.drawdown
    if deepest is not None:
        account["drawdown"]["days"] = deepest.days
    account["months"] = dict(found.account.months)
    fields = {
        "account": {**account, "return_frac": found.account.return_frac},
        "whole": _group_fields(found.whole),
        **{
            name: {key: _group_fields(group) for key, group in groups.items()}
            for name, groups in (
                ("per_coin", found.per_coin),
                ("per_card", found.per_card),
                ("per_regime", found.per_regime),
            )
        },
        "exposure_per_coin": dict(found.exposure_per_coin),
        "wanted": found.wanted,
        "gates": [asdict(gate) for gate in found.gates],
    }
    found_plain: dict[str, Any] = plain(fields)
    return found_plain


def _group_fields(group: TradeStatistics) -> dict[str, Any]:
    return {
        "net": factor_fields(group.net),
        "gross": factor_fields(group.gross),
        "other": factor_fields(group.other),
        "ambiguous": group.ambiguous,
        "expectancy_r": group.expectancy_r,
        "sqn": group.sqn,
        "average_win_quote": group.average_win_quote,
        "average_loss_quote": group.average_loss_quote,
        "losing_run": group.losing_run,
        "before_costs_quote": group.before_costs_quote,
        "net_quote": group.net_quote,
        "fees_quote": group.fees_quote,
        "slippage_quote": group.slippage_quote,
        "funding_quote": group.funding_quote,
    }
