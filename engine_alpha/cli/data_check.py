"""`chloe data check`: what is wrong with candles, before anyone trusts them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, now_ms, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.home import Home
    from engine_alpha.store.checking.check import Checking, Report, Ticks
    from engine_alpha.store.checking.findings import Finding

FOUND_GRAVE = 3


@click.command(
    epilog=examples(
        "chloe data check                                     every stored series",
        "chloe data check Binance_ETHUSDT_1h.csv              a file, before it is imported",
        "chloe data check mine.csv --against data/            a file, beside what is stored of the coin",
        "chloe data check futures.csv --against spot.csv      are these really the perpetual's prices?",
    )
    + "\n\n\b\nExit codes: 0 nothing grave; 3 something that should stop you (marked STOP).",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--venue", help="Whose bars: bybit or binance (perpetuals), BINANCE (Binance spot).")
@click.option("--symbol", help="Coin and quote currency: ETHUSDT.")
@click.option("--timeframe", metavar="TF", help="Length of the bars: 1m, 1h, 1d.")
@click.option("--kind", type=click.Choice(("candles", "mark", "funding")), help="What the rows are.")
@click.option("--market", type=click.Choice(("perpetual", "spot")), help="Which market of the venue it is.")
@click.option("--columns", metavar="ROLE=NAME,...", help="Names of columns that are not recognised.")
@click.option(
    "--against", metavar="OTHER", type=click.Path(path_type=Path), help="Compare with this file or folder."
)
@home_option
@json_option
def check(paths: tuple[Path, ...], against: Path | None, **given: str | None) -> None:
    """Look for what is wrong with candles and funding: files of any format, stored series, folders of either.

    Holes, doubled and copied stretches, frozen and impossible bars, candles never completed, local times,
    prices of another market, of a test network or made up, disagreement between timeframes and vendors. By
    default everything in the home's data folder. Nothing is changed.
    """
    from engine_alpha.store.checking.check import checked
    from engine_alpha.store.checking.subjects import places_in

    home = _home(needed=not paths)
    roots = paths or (_data_folder(home),)
    places = [place for root in roots for place in places_in(root)]
    how = _how(home, given, against)
    with progress_shown("checking", "series") as progress:
        reports = checked(places, how, progress)
    if wants_json():
        show_json({"series": [_fields(report) for report in reports], "grave": any(r.grave for r in reports)})
    else:
        _show(reports)
    if any(report.grave for report in reports):
        sys.exit(FOUND_GRAVE)


def _home(needed: bool) -> Home | None:
    """Return the home; files can be checked without one, then no ticks are known."""
    try:
        return chosen_home()
    except ConfigError:
        if needed:
            raise
        return None


def _data_folder(home: Home | None) -> Path:
    from engine_alpha.config.engine import read_engine

    assert home is not None
    return read_engine(home.engine).data_folder(home.path)


def _how(home: Home | None, given: Mapping[str, str | None], against: Path | None) -> Checking:
    from engine_alpha.store.checking.check import Checking
    from engine_alpha.store.checking.subjects import places_in
    from engine_alpha.store.importing.rows import Wishes, parse_columns
    from engine_alpha.store.importing.series import wished_label

    names = ("venue", "market", "symbol", "timeframe", "kind")
    columns = given["columns"]
    wishes = Wishes(
        label=wished_label(**{name: given[name] for name in names}),
        columns=parse_columns(columns) if columns else {},
    )
    return Checking(
        wishes=wishes,
        now_ms=now_ms(),
        ticks=ticks_of(home) if home is not None else {},
        against=tuple(places_in(against)) if against is not None else (),
    )


def ticks_of(home: Home) -> dict[str, Ticks]:
    """Return what the home's newest snapshots say of ticks; none of a venue without one."""
    from engine_alpha.config.assets import VENUES
    from engine_alpha.config.instruments import instruments_in, newest_snapshot, read_snapshot
    from engine_alpha.store.checking.check import Ticks

    found = {}
    for venue in VENUES:
        try:
            snapshot = read_snapshot(newest_snapshot(home.instruments, venue))
        except ConfigError:
            continue
        as_of = datetime.fromisoformat(snapshot.as_of).replace(tzinfo=UTC)
        ticks = {symbol: float(each.tick_quote) for symbol, each in instruments_in(snapshot).items()}
        found[venue] = Ticks(as_of_ms=int(as_of.timestamp() * 1_000), tick_quote=ticks)
    return found


def _fields(report: Report) -> dict[str, Any]:
    label = report.label
    return {
        "source": report.source,
        **{name: getattr(label, name) for name in ("venue", "market", "symbol", "timeframe", "kind")},
        "rows": report.rows,
        "first_ms": report.first_ms,
        "last_ms": report.last_ms,
        "grave": report.grave,
        "findings": [
            {
                **{name: getattr(each, name) for name in ("code", "grave", "count", "first_ms", "saw")},
                "remedy": each.remedy,
            }
            for each in report.findings
        ],
    }


def _show(reports: Sequence[Report]) -> None:
    from engine_alpha.reports.words import count

    clean = [report for report in reports if not report.findings]
    for report in reports:
        if report.findings:
            show(_heading(report), *(line for each in report.findings for line in _lines(each)), "")
    grave = sum(report.grave for report in reports)
    noted = len(reports) - len(clean) - grave
    show(
        f"{count(len(reports), 'series', 'series')} checked: {len(clean)} clean, {noted} with remarks only, "
        f"{grave} with something that should stop you"
    )


def _heading(report: Report) -> str:
    from engine_alpha.reports.words import count
    from engine_alpha.times import minute

    label = report.label
    told = " ".join(filter(None, (label.venue, label.market, label.symbol, label.timeframe, label.kind)))
    span = ""
    if report.first_ms is not None and report.last_ms is not None:
        span = f", {count(report.rows, 'row')}, {minute(report.first_ms)} to {minute(report.last_ms)}"
    return f"{report.source}: {told or 'unknown'}{span}"


def _lines(finding: Finding) -> list[str]:
    from engine_alpha.times import minute

    since = "" if finding.first_ms is None else f" from {minute(finding.first_ms)}"
    mark = "STOP" if finding.grave else "note"
    return [f"  {mark}  {finding.code}{since}: {finding.saw}", f"        {finding.remedy}"]
