"""`chloe rehearse`: history through the steps of paper trading."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, reading
from engine_alpha.cli.history import asked_history, history_options
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.loop.rehearse import RehearsalReport
    from engine_alpha.plans.history import History


@click.command(
    epilog=examples(
        "chloe rehearse --data candles/ --venue BINANCEUM --symbols ETHUSDT,BTCUSDT \\",
        "               --from 2023-01-01 --to 2024-01-01",
        "chloe rehearse --data candles/ --venue BYBIT --symbols ETHUSDT \\",
        "               --from 2023-01-01T12:00 --to 2023-02-01 --json",
    )
)
@history_options()
@home_option
@json_option
def rehearse(**given: str) -> None:
    """Play stored history through the very steps of paper trading, with the home's cards and limits.

    The run has an account of its own, named after its arguments and the configuration. Interrupted and
    started again with the same arguments it goes on where it was.
    """
    from engine_alpha.loop.tick import SOME_FAILED

    home = chosen_home()
    wanted = asked_history(given)
    report, seconds = _played(home, wanted)
    found = _fields(home, wanted, report, seconds)
    reasons = _no_decisions(home, report)
    if wants_json():
        show_json({**found, "no_decision_reasons": [list(reason) for reason in reasons]})
    else:
        _show(wanted, report, found, reasons)
    if report.undecided:
        remark(f"no decision at all for {', '.join(report.undecided)}")
        sys.exit(SOME_FAILED)


def _played(home: Home, wanted: History) -> tuple[RehearsalReport, float]:
    from engine_alpha.loop.rehearse import rehearse as play
    from engine_alpha.reports.words import count

    started = time.perf_counter()
    with (
        _saying_how_to_go_on(),
        progress_shown(f"rehearsing {count(len(wanted.symbols), 'coin')}", "ticks") as progress,
    ):
        report = play(home, wanted, progress)
    return report, time.perf_counter() - started


@contextmanager
def _saying_how_to_go_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        remark("\nstopped; what is done is kept: the same command goes on from there")
        sys.exit(130)


def _fields(home: Home, wanted: History, report: RehearsalReport, seconds: float) -> dict[str, Any]:
    from engine_alpha.reports.words import factor_fields

    return {
        "home": str(home.path),
        "account": report.account,
        "simulated": False,
        "data": str(wanted.data),
        "venue": wanted.venue,
        "symbols": list(report.per_coin),
        "from_ms": wanted.from_ms,
        "to_ms": wanted.to_ms,
        "decisions": report.decisions,
        "no_decisions": report.no_decisions,
        "trades": report.trades,
        "decisions_sha256": report.decisions_sha256,
        "ledger_sha256": report.ledger_sha256,
        "per_coin": {symbol: factor_fields(found) for symbol, found in report.per_coin.items()},
        "whole": factor_fields(report.whole),
        "equity_quote": report.equity_quote,
        "funding_quote": report.funding_quote,
        "funding_unknown_bars": report.funding_unknown_bars,
        "ambiguous": report.ambiguous,
        "other_whole": factor_fields(report.other_whole),
        "stepped_bars": report.stepped_bars,
        "seconds": round(seconds, 3),
        "bars_per_s": round(report.stepped_bars / seconds, 1) if report.stepped_bars else None,
        "resumed_at_ms": report.resumed_at_ms,
        "undecided": list(report.undecided),
    }


def _no_decisions(home: Home, report: RehearsalReport) -> list[tuple[str, str, int, str]]:
    """Return why bars have no decision, most frequent first."""
    from engine_alpha.cli.records import NO_DECISION, fault_fields

    if not report.no_decisions:
        return []
    counted: Counter[tuple[str, str]] = Counter()
    details: dict[tuple[str, str], str] = {}
    with reading(Account(home=home, name=report.account)) as journal:
        for stored in journal.events(NO_DECISION):
            fault = fault_fields(stored)
            key = (stored.event.symbol, fault["reason"])
            counted[key] += 1
            details.setdefault(key, fault["detail"])
    return [(*key, times, details[key]) for key, times in counted.most_common()]


def _show(
    wanted: History,
    report: RehearsalReport,
    found: dict[str, Any],
    reasons: list[tuple[str, str, int, str]],
) -> None:
    from engine_alpha.reports.rehearsal import coins_table, no_decision_lines, rehearsal_lines
    from engine_alpha.times import minute

    span = f"{minute(wanted.from_ms)} to {minute(wanted.to_ms)}"
    show(f"rehearsal of {wanted.venue} bars from {wanted.data}, {span}", "")
    show(coins_table(report.per_coin, report.whole), "")
    show(*rehearsal_lines(found, report.other_whole), *no_decision_lines(reasons))
