"""`chloe backtest`: history through the compiled kernel, and what came of it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.compiling import run_shown
from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.history import asked_history, history_options
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.config.risk import DETAILS
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.backtest import BacktestResult, Overrides
    from engine_alpha.plans.history import History
    from engine_alpha.reports.run import Run
    from engine_alpha.reports.statistics import Statistics

INTERRUPTED = 130


@click.command(
    epilog=examples(
        "chloe backtest --data candles/ --venue BINANCEUM --symbols ETHUSDT,BTCUSDT \\",
        "               --from 2021-01-01 --to 2024-01-01",
        "chloe backtest ... --cards my-cards/ --risk my-risk.json      other cards and limits, once",
        "chloe backtest ... --html                                     a page to look at",
        "chloe backtest ... --out runs/first --html                    numbers, trades, equity, page",
        "chloe backtest ... --json | jq .per_coin.ETHUSDT.net",
    )
    + "\n\n\b\nExit codes: 0 done; 2 configuration, usage, or no bar to decide on; 3 some coin undecided."
)
@history_options()
@click.option(
    "--cards", metavar="DIR", help="Folder of cards to use for this run. [default: config/cards in the home]"
)
@click.option(
    "--risk", metavar="FILE", help="Limits to use for this run. [default: config/risk.json in the home]"
)
@click.option(
    "--detail",
    type=click.Choice(DETAILS),
    help="Bars that say what came first inside a bar. [default: detail in risk.json]",
)
@click.option(
    "--digests", is_flag=True, help="Hash all decisions and the ledger; --json and --out do anyway."
)
@click.option(
    "--out",
    metavar="DIR",
    help="Write result.json, trades and equity (Parquet and CSV) there, with --html the page too.",
)
@click.option("--html", is_flag=True, help="Draw a page; without --out into the home's reports.")
@home_option
@json_option
def backtest(**given: Any) -> None:
    """Play stored history through the live engine's own decisions, compiled, with one account for all coins.

    Decisions and ledger are bit for bit those of `chloe rehearse` and of paper trading. Nothing is traded and
    no account is touched.
    """
    home, wanted = chosen_home(), asked_history(given)
    folder = _chosen_folder(given["out"])
    with extra_asked_for(), _saying_that_nothing_is_left():
        started = time.perf_counter()
        result = _played(home, wanted, given)
        _report(home, given, folder, result.timed(time.perf_counter() - started))
    if result.undecided:
        from engine_alpha.loop.tick import SOME_FAILED

        remark(f"no decision at all for {', '.join(symbol for symbol, _ in result.undecided)}")
        sys.exit(SOME_FAILED)


@contextmanager
def _saying_that_nothing_is_left() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        remark("\nstopped; nothing was written")
        sys.exit(INTERRUPTED)


def _chosen_folder(out: str | None) -> Path | None:
    """Return where to write; raise `ConfigError` before anything runs if that can't be."""
    if out is None:
        return None
    with extra_asked_for():
        from engine_alpha.backtest.files import check_folder

    folder = Path(out).expanduser().absolute()
    check_folder(folder)
    return folder


def _played(home: Home, wanted: History, given: Mapping[str, Any]) -> BacktestResult:
    """Run; digests and the numbers of every bar are taken only where somebody looks at them."""
    from engine_alpha.backtest import run
    from engine_alpha.reports.words import count

    whole = given["digests"] or given["html"] or given["out"] is not None or wants_json()
    with run_shown(f"backtesting {count(len(wanted.symbols), 'coin')}", "ticks") as progress:
        return run(home, wanted, _overrides(given), records=whole, progress=progress)


def _overrides(given: Mapping[str, Any]) -> Overrides:
    from engine_alpha.backtest import Overrides

    cards, risk = (
        None if given[name] is None else Path(given[name]).expanduser() for name in ("cards", "risk")
    )
    return Overrides(cards=cards, risk=risk, detail=given["detail"])


def _report(home: Home, given: Mapping[str, Any], folder: Path | None, result: BacktestResult) -> None:
    """Show the result, and write what was asked for."""
    from engine_alpha.reports.statistics import statistics_of

    run = result.as_run()
    found = statistics_of(run)
    page = _page(run, found) if given["html"] else None
    report = _page_path(home, folder, result) if page is not None else None
    fields: dict[str, Any] = {}
    if folder is not None or wants_json():
        fields = {**_fields(home, given, result, found), "report": None if report is None else str(report)}
    if folder is not None:
        from engine_alpha.backtest.files import write_result

        write_result(folder, fields, result, page)
    elif page is not None and report is not None:
        _write_page(report, page)
    if wants_json():
        show_json(fields)
        return
    _show(result, run, found)
    for path in (folder, report):
        if path is not None:
            show(f"wrote {path}")


def _fields(
    home: Home, given: Mapping[str, Any], result: BacktestResult, found: Statistics
) -> dict[str, Any]:
    """Return the document for programs; names that `chloe rehearse --json` has mean the same here."""
    from engine_alpha import __version__
    from engine_alpha.backtest.run import measured
    from engine_alpha.reports.backtest import statistics_fields

    wanted = result.history
    bars, seconds = measured(home, wanted, _overrides(given))
    return {
        "version": __version__,
        "home": str(home.path),
        "simulated": False,
        "data": str(wanted.data),
        "venue": wanted.venue,
        "symbols": [coin.symbol for coin in result.coins],
        "from_ms": wanted.from_ms,
        "to_ms": wanted.to_ms,
        **{name: given[name] for name in ("cards", "risk", "detail")},
        "decisions": result.decisions,
        "no_decisions": sum(bars for _, _, bars in result.no_decisions),
        "no_decision_reasons": [list(each) for each in result.no_decisions],
        "undecided": [list(each) for each in result.undecided],
        "trades": len(result.trades),
        "forced_exits": len(result.forced_exits),
        "shadow_trades": len(result.shadow_trades),
        "decisions_sha256": result.decisions_sha256,
        "ledger_sha256": result.ledger_sha256,
        "bars": bars,
        "seconds": round(seconds, 4),
        "bars_per_second": round(bars / seconds, 1),
        "equity_quote": result.equity_quote,
        "funding_quote": result.funding_quote,
        "funding_unknown_bars": result.funding_unknown_bars,
        "ambiguous": result.ambiguous,
        "notes": list(result.notes),
        **statistics_fields(found),
    }


def _page(run: Run, found: Statistics) -> str:
    from engine_alpha.reports.page import page_of

    return page_of(run, found)


def _page_path(home: Home, folder: Path | None, result: BacktestResult) -> Path:
    """Return the page's place; without --out its name says which decisions it shows."""
    if folder is not None:
        from engine_alpha.backtest.files import REPORT

        return folder / REPORT
    return home.reports / f"backtest-{str(result.decisions_sha256)[:12]}.html"


def _write_page(path: Path, page: str) -> None:
    from engine_alpha.atomic_files import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, page.encode())
    except OSError as fault:
        raise ConfigError(f"{path} can't be written ({fault.strerror}); name a folder with --out") from None


def _show(result: BacktestResult, run: Run, found: Statistics) -> None:
    from engine_alpha.reports.backtest import (
        account_lines,
        backtest_lines,
        blocked_table,
        summary_tables,
    )
    from engine_alpha.times import minute

    wanted = result.history
    span = f"{minute(wanted.from_ms)} to {minute(wanted.to_ms)}"
    show(f"backtest of {wanted.venue} bars from {wanted.data}, {span}", "")
    for table in summary_tables(found, wide=_is_wide()):
        show(table, "")
    blocked = blocked_table(found, every_bar=result.decisions_sha256 is not None)
    if blocked is not None:
        show(blocked, "")
    counts = {
        "decisions": result.decisions,
        "seconds": result.seconds,
        "forced_exits": len(result.forced_exits),
        "decisions_sha256": result.decisions_sha256,
        "ledger_sha256": result.ledger_sha256,
    }
    show(*account_lines(run, found), *backtest_lines(counts, found))


def _is_wide() -> bool:
    """Say whether whole tables fit: a narrow terminal would cut numbers off."""
    from engine_alpha.reports.backtest import WIDE

    return not sys.stdout.isatty() or shutil.get_terminal_size().columns >= WIDE
