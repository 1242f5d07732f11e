"""What a rehearsal came to."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.table import Table, columns, pairs
from engine_alpha.reports.words import (
    count,
    factor,
    factor_value,
    gain,
    interval,
    money,
    percent,
)
from engine_alpha.times import minute


def coins_table(per_coin: Mapping[str, ProfitFactor], whole: ProfitFactor) -> Table:
    """Return one row per coin, in the registry's order, and one for all."""
    rows = [_row(symbol, found) for symbol, found in per_coin.items()]
    return Table(
        columns=columns("asset", ">n", ">PF", ">95 % interval", ">win rate", ">net"),
        rows=(*rows, _row("all", whole)),
        total=True,
    )


def _row(name: str, found: ProfitFactor) -> tuple[str, ...]:
    net = found.gross_profit_quote - found.gross_loss_quote
    return (
        name,
        f"{found.trades:,}",
        factor_value(found),
        interval(found),
        percent(found.win_frac, 0),
        gain(net),
    )


def rehearsal_lines(found: Mapping[str, Any], other_whole: ProfitFactor) -> list[str]:
    """Return the rest: ambiguity, equity, counts and digests."""
    ambiguous = count(found["ambiguous"], "bar") + " held stop and target both"
    if found["ambiguous"]:
        ambiguous += f"; PF {factor(other_whole)} had they gone the other way"
    funding = f"{gain(found['funding_quote'])} received"
    if found["funding_unknown_bars"]:
        bars = count(found["funding_unknown_bars"], "bar")
        funding += f"; unknown and counted as 0 on {bars} in a position"
    speed = found["bars_per_s"]
    lines = [
        ("equity", f"{money(found['equity_quote'])}, open positions at their last close included"),
        ("funding", funding),
        ("ambiguous", ambiguous),
        ("account", found["account"]),
    ]
    if found["stepped_bars"]:
        pace = "" if speed is None else f", {speed:,.0f} bars/s"
        lines.append(("stepped", f"{count(found['stepped_bars'], 'bar')} in {found['seconds']:.1f} s{pace}"))
    if found["resumed_at_ms"] is not None:
        lines.append(("resumed at", minute(found["resumed_at_ms"])))
    lines += [
        ("decisions", f"{found['decisions']:,}"),
        ("trades", f"{found['trades']:,}"),
        ("decisions_sha256", found["decisions_sha256"]),
        ("ledger_sha256", found["ledger_sha256"]),
    ]
    return pairs(lines)


def no_decision_lines(reasons: Sequence[tuple[str, str, int, str]]) -> list[str]:
    """Return why bars have no decision: (symbol, reason, how many, one detail) each."""
    return [
        f"{symbol}: no decision on {count(times, 'bar')}: {reason}, for example {detail}"
        for symbol, reason, times, detail in reasons
    ]
