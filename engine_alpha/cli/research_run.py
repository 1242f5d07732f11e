"""`chloe research run`: one night's work, with its progress, its log and its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.history import asked_history, history_options
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, now_ms, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.research_log import RunLog
from engine_alpha.cli.stopping import sigterm_as_ctrl_c
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.research.night import NightRequest, NightResult
    from engine_alpha.research.pages.nights import KeptNight

SOME_FAILED = 3
DATE = re.compile(r"\d{4}-\d\d-\d\d")
NEEDED = {"data": "--data", "venue": "--venue", "symbols": "--symbols", "first": "--from", "end": "--to"}


@click.command(
    epilog=examples(
        "chloe research run                                   all coins with candles, up to the newest",
        "chloe research run --symbols ETHUSDT,BTCUSDT         these alone",
        "chloe research run --data candles/ --venue BINANCEUM --symbols ETHUSDT,BTCUSDT \\",
        "                   --from 2021-01-01 --to 2024-01-01",
        "chloe research run --executor dask://10.0.0.7:8786   on the workers of a Dask scheduler",
    )
    + "\n\n\b\nExit codes: 0 done; 3 some coins could not be looked at; 2 configuration; 4 failed;\n"
    "5 another night runs; 130 Ctrl-C; 143 SIGTERM."
)
@history_options(required=False)
@click.option("--night", metavar="DATE", help="What to name the night by. [default: today, UTC]")
@click.option("--jobs", type=click.IntRange(1, 256), help="Units at a time. [default: one per core]")
@click.option(
    "--executor",
    default="processes",
    show_default=True,
    metavar="WHERE",
    help="processes, or dask://HOST:PORT.",
)
@click.option(
    "--twins",
    type=click.IntRange(0, 10_000),
    metavar="N",
    help="So many more markets without an edge. [default: as research.json says]",
)
@click.option("--no-download", is_flag=True, help="Take the stored candles as they are.")
@home_option
@json_option
def run(**given: Any) -> int:
    """Do one night of research and write its documents and pages to reports/research/NIGHT.

    Nothing that trades is changed, unless auto_adopt of research.json says so for a coin on paper. Without
    --data the home's stored candles are read. Interrupted, it goes on where it stopped when run again.

    With the feed "venue" the candles and the funding that are missing are fetched first, as chloe data
    download --funding does, up to 00:00 UTC of the night's day: of a coin without any, all since its
    contract was listed. A coin whose download fails is looked at as far as it is stored.
    """
    _check(given)
    with extra_asked_for("research"):
        return _run(chosen_home(), given)


def _check(given: Mapping[str, Any]) -> None:
    """Raise `UsageError` or `ConfigError` for options that do not go together, before anything is loaded."""
    from engine_alpha.times import parse_iso

    night = given["night"]
    if night is not None and DATE.fullmatch(night) is None:
        raise click.UsageError(f'--night "{night}" is no date; write for example --night 2026-11-28')
    if night is not None:
        parse_iso(night)
    missing = [option for name, option in NEEDED.items() if given[name] is None]
    if given["data"] is not None and missing:
        raise click.UsageError(f"--data needs {', '.join(missing)} beside it")
    if given["data"] is None and (given["first"] or given["end"]):
        raise click.UsageError("--from and --to go with --data; the home's own candles are taken whole")


def _run(home: Home, given: Mapping[str, Any]) -> int:
    from engine_alpha.atomic_files import uninterrupted
    from engine_alpha.backtest.compiling import LONGEST_OF_SWEEPS, is_cached
    from engine_alpha.cli.research_auto import adopt_on_paper
    from engine_alpha.research.night import run_night
    from engine_alpha.research.pages.nights import night_before, night_in
    from engine_alpha.research.pages.writing import write_pages

    wanted = _wanted(given)
    if not is_cached(LONGEST_OF_SWEEPS):
        remark("compiling first, as after every installation and update: up to half a minute")
    log = RunLog(home, wanted.night, wanted.at_ms)
    with sigterm_as_ctrl_c(), log.kept():
        with _stages(log) as progress:
            if not given["no_download"]:
                wanted = _fetched(home, wanted, log, progress)
            result = run_night(home, wanted, progress)
        log.found(result.document, result.faults)
        night = night_in(result.folder)
        with uninterrupted():
            pages = write_pages(night, night_before(home.reports, night.night))
            adopted = adopt_on_paper(home, night, wanted.at_ms)
    _tell(home, result, night, [str(page) for page in pages], adopted)
    return SOME_FAILED if result.faults else 0


def _fetched(home: Home, wanted: NightRequest, log: RunLog, progress: Any) -> NightRequest:
    """Fetch the newest candles, where the home's come from a venue; what can't be had the night's notes say.

    Under the lock of research, so that no other night reads what is being written.
    """
    from engine_alpha.backtest.trials import ACCOUNT
    from engine_alpha.cli.research_fetching import fetch_newest
    from engine_alpha.research.night import one_at_a_time

    with one_at_a_time(home.account(ACCOUNT)):
        fetched = fetch_newest(home, wanted, progress)
    if fetched is None:
        return wanted
    log.fetched(fetched.fields())
    return replace(wanted, notes=fetched.warnings)


def _wanted(given: Mapping[str, Any]) -> NightRequest:
    """Return what was typed as a request."""
    from engine_alpha.research.executing import cores
    from engine_alpha.research.night import NightRequest
    from engine_alpha.times import minute

    at_ms = now_ms()
    symbols = tuple(dict.fromkeys(filter(None, (given["symbols"] or "").replace(" ", "").split(","))))
    return NightRequest(
        night=given["night"] or minute(at_ms)[:10],
        at_ms=at_ms,
        history=None if given["data"] is None else asked_history(given),
        symbols=symbols,
        venue=given["venue"],
        executor=given["executor"],
        jobs=given["jobs"] or cores(),
        twins=given["twins"],
    )


@contextmanager
def _stages(log: RunLog) -> Iterator[Any]:
    """Show a bar for each kind of work, one after the other, and log how long each took."""
    from contextlib import ExitStack

    from engine_alpha.cli.progress import Move, progress_shown

    shown: dict[str, Move] = {}
    with ExitStack() as stack:

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                shown.clear()
                shown[what] = stack.enter_context(progress_shown(what, "done"))
            shown[what](done, total)
            log.moved(what, done, total)

        yield tell


def _tell(
    home: Home, result: NightResult, night: KeptNight, pages: list[str], adopted: Mapping[str, str]
) -> None:
    from engine_alpha.reports.research import coins_table, first_words

    if wants_json():
        more = {"home": str(home.path), "pages": pages, "adopted": dict(adopted)}
        show_json({**result.document, **more, "folder": str(result.folder), "faults": dict(result.faults)})
        return
    show(*first_words(result.document), "", coins_table(result.document, night.assets), "")
    show(*(f"{symbol}: {said}" for symbol, said in adopted.items()))
    took = f"{result.document['seconds']:,.0f} s, {result.document['peak_mib']:,.0f} MiB"
    show(f"wrote {pages[0]} and {len(pages) - 1} pages of coins; {took}")
    for symbol, fault in result.faults.items():
        remark(f"{symbol} was left out: {fault}")
