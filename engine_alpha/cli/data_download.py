"""`chloe data download`: a venue's candles, mark prices and funding into the store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.fetching import Asked, contracts_at, series_of, venue_history
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.config.assets import VENUES
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.config.engine import EngineConfig
    from engine_alpha.home import Home
    from engine_alpha.store.downloading import Downloaded, Wanted

SOME_FAILED, INTERRUPTED = 3, 130


@click.command(
    epilog=examples(
        "chloe data download --venue bybit --symbols ETHUSDT,BTCUSDT --timeframe 1h --from 2023-01-01",
        "chloe data download --venue bybit --symbols ETHUSDT,BTCUSDT --timeframe 1h     up to now",
        "chloe data download --venue binance --symbols ETHUSDT --timeframe 1h --funding --mark",
    )
)
@click.option("--venue", required=True, type=click.Choice(VENUES), help="Whose perpetuals.")
@click.option("--symbols", required=True, metavar="A,B", help="Coins, whether the registry has them or not.")
@click.option(
    "--timeframe", required=True, type=click.Choice(tuple(TIMEFRAME_MS)), help="Length of the bars."
)
@click.option("--from", "first", metavar="ISO", help="Bars that open at or after this, UTC. [default: all]")
@click.option("--to", "end", metavar="ISO", help="Bars that open before this, UTC. [default: now]")
@click.option("--funding", is_flag=True, help="The funding rates of that time, too.")
@click.option("--mark", is_flag=True, help="The mark price of that time, too, in hours.")
@home_option
@json_option
def download(**given: Any) -> None:
    """Fetch what the store does not have yet of a venue's history: closed bars, judged, month by month.

    Without --from it begins where the stored series does, else with the contract's listing. Stopped and
    started again it goes on where it was; holes in the span are asked for anew.
    """
    from engine_alpha.config.engine import read_engine

    home = chosen_home()
    engine = read_engine(home.engine)
    root = engine.data_folder(home.path)
    symbols = tuple(dict.fromkeys(name.strip() for name in given["symbols"].split(",") if name.strip()))
    if not symbols:
        raise click.UsageError("--symbols names no coin; write for example --symbols ETHUSDT,BTCUSDT")
    wanted = _wanted(home, engine, symbols, given)
    with _saying_what_is_kept(root):
        done = _downloaded(root, engine, given["venue"], wanted)
    if wants_json():
        show_json({"data": str(root), "series": [_fields(each) for each in done]})
    else:
        _show(root, done)
    if any(each.fault or each.manifest is None for each in done):
        sys.exit(SOME_FAILED)


def _wanted(
    home: Home, engine: EngineConfig, symbols: Sequence[str], given: Mapping[str, Any]
) -> list[Wanted]:
    """Return the series to fill; raise `ConfigError` for a coin that the venue has not."""
    from engine_alpha.times import parse_iso

    listed, unlisted = contracts_at(home, engine, given["venue"], symbols)
    for words in unlisted.values():
        raise ConfigError(words)
    asked = Asked(
        timeframe=given["timeframe"],
        first_ms=parse_iso(given["first"]) if given["first"] else None,
        end_ms=parse_iso(given["end"]) if given["end"] else None,
        funding=given["funding"],
        mark=given["mark"],
    )
    root = engine.data_folder(home.path)
    return [each for symbol in symbols for each in series_of(root, listed[symbol], asked)]


def _downloaded(root: Path, engine: EngineConfig, venue: str, wanted: Sequence[Wanted]) -> list[Downloaded]:
    from engine_alpha.store.downloading import download as fill

    async def run() -> list[Downloaded]:
        async with venue_history(venue, engine) as history:
            return await fill(root, history, wanted, progress)

    with progress_shown(f"downloading from {venue}", "bars") as progress:
        return asyncio.run(run())


@contextmanager
def _saying_what_is_kept(root: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        remark("\nstopped; what is done is kept: the same command goes on from there")
        sys.exit(INTERRUPTED)
    except OSError as error:
        raise ConfigError(
            f"{root}: can't be written ({error.strerror}); what was done before is kept, repeat the command"
        ) from error


def _fields(done: Downloaded) -> dict[str, Any]:
    manifest = done.manifest
    return {
        "venue": done.wanted.venue,
        "symbol": done.wanted.symbol,
        "series": done.wanted.series,
        "new_rows": done.new_rows,
        "absent_bars": done.absent_bars,
        "rows": manifest.rows if manifest else 0,
        "first_ms": manifest.first_ms if manifest else None,
        "last_ms": manifest.last_ms if manifest else None,
        "gaps": [list(gap) for gap in manifest.gaps] if manifest else [],
        "fault": done.fault or None,
    }


def _show(root: Path, done: Sequence[Downloaded]) -> None:
    from engine_alpha.reports.table import Table, columns
    from engine_alpha.reports.words import count
    from engine_alpha.times import minute

    rows = []
    for each in done:
        manifest = each.manifest
        span = (minute(manifest.first_ms), minute(manifest.last_ms)) if manifest else ("–", "–")
        told = (each.wanted.venue, each.wanted.symbol, each.wanted.series, f"{each.new_rows:,}")
        rows.append((*told, f"{manifest.rows if manifest else 0:,}", *span, f"{each.absent_bars:,}"))
    heads = columns("venue", "symbol", "series", ">new", ">rows now", "first", "last", ">absent")
    show(f"into {root}", "", Table(columns=heads, rows=tuple(rows)))
    for each in done:
        if each.fault:
            remark(f"{each.wanted}: {each.fault}")
        elif each.manifest is None:
            remark(f"{each.wanted}: the venue has none of that time")
        elif each.absent_bars:
            remark(f"{each.wanted}: the venue has no {count(each.absent_bars, 'bar')} of the span")
