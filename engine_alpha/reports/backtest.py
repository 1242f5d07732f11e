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


def summary_tables(found: Statistics) -> list[Table]:
    """Return one table by coin, one by card, one by regime; costs are inside all but the gross factor."""
    groups = {"coin": found.per_coin, "card": found.per_card, "regime": found.per_regime}
    return [_summary_table(by, group, found.whole) for by, group in groups.items()]


def _summary_table(by: str, groups: Mapping[str, TradeStatistics], whole: TradeStatistics) -> Table:
    return Table(
        columns=columns(
            by,
            ">n",
            ">PF",
            ">95 % interval",
            ">PF gross",
            ">win rate",
            ">R a trade",
            ">net",
            ">fees",
            ">slippage",
            ">funding",
        ),
        rows=(*(_row(name, group) for name, group in groups.items()), _row(WHOLE, whole)),
        total=True,
    )


def _row(name: str, group: TradeStatistics) -> tuple[str, ...]:
    return (
        name,
        f"{group.trades:,}",
        factor_value(group.net),
        interval(group.net),
        factor_value(group.gross),
        percent(group.net.win_frac, 0),
        multiple_of_risk(group.expectancy_r),
        gain(group.net_quote),
        gain(-group.fees_quote),
        gain(-group.slippage_quote),
        gain(group.funding_quote),
    )


def blocked_table(found: Statistics) -> Table | None:
    """Return which gates refused entries that a card wanted, the most refusing first; None if none did."""
    refusing = [gate for gate in found.gates if gate.blocked]
    if not refusing:
        return None
    return Table(
        title=f"why entries were blocked: a card fired on {count(found.wanted, 'bar')}",
        columns=columns("gate", ">refused", ">of them", ">said no in all", ""),
        rows=tuple(
            (
                gate.gate,
                f"{gate.blocked:,}",
                percent(gate.blocked / found.wanted if found.wanted else None, 0),
                f"{gate.failed:,}",
                GATE_WORDS.get(gate.gate, ""),
            )
            for gate in refusing
        ),
    )


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
        f"{symbol}: no decision on {count(times, 'bar')}: {reason}"
        for symbol, reason, times in run.no_decisions
    ]


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
