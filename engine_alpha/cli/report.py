"""`chloe report`: an account's journal as one page to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_alpha.cli.accounts import FEED_OF_ACCOUNT, Account, choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import ChloeError, ConfigError

if TYPE_CHECKING:
    from engine_alpha.domain.bars import Bars
    from engine_alpha.ports import Journal, StoredEvent
    from engine_alpha.reports.journal_run import Candles, CandlesWanted
    from engine_alpha.reports.run import Run

FILE_SOURCE, SIMULATED_SOURCE, VENUE_SOURCE = "files/", "embedded", "venue "


@click.command(
    epilog=examples(
        "chloe report                      reports/<account>.html in the home",
        "chloe report --open               and show it in the browser",
        "chloe report --account paper --out /srv/www/chloe.html",
        "chloe report --account rehearse-4b0e --data candles/",
    )
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it. [default: reports/ACCOUNT.html in the home]",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of stored bars, for the candles. [default: the one of engine.json]",
)
@click.option("--open", "opening", is_flag=True, help="Show it in the browser.")
@account_option
@home_option
@json_option
def report(out: Path | None, data: Path | None, opening: bool) -> None:
    """Draw an account's trades, equity and blocked entries from its journal: one HTML file, no network.

    The page is the one of `chloe backtest --html`. The journal holds closes only: candles are taken from
    stored or simulated bars that close the same, and where there are none a line is drawn.
    """
    from engine_alpha.atomic_files import write_atomically
    from engine_alpha.reports.backtest import statistics_fields
    from engine_alpha.reports.page import page_of
    from engine_alpha.reports.statistics import statistics_of

    account = choose_account(chosen_home())
    run = _run(account, data)
    found = statistics_of(run)
    page = page_of(run, found).encode()
    path = _target(account, out)
    try:
        write_atomically(path, page)
    except OSError as error:
        raise ConfigError(f"{path} can't be written ({error.strerror}); choose another --out") from None
    if wants_json():
        show_json({**account.fields(), "file": str(path), "bytes": len(page), **statistics_fields(found)})
    else:
        _tell(account, run, path, len(page))
    if opening:
        _open(path)


def _run(account: Account, data: Path | None) -> Run:
    from engine_alpha.reports.journal_run import Account as Described
    from engine_alpha.reports.journal_run import run_of_journal

    described = Described(
        title=f"{account.name} account" if not account.rehearsal else f"rehearsal {account.name}",
        source=_source(account),
        simulated=account.simulated,
        quote_ccy=_currency(account),
    )
    with reading(account) as journal, progress_shown("reading the journal", "events") as progress:
        newest = next(journal.events(newest_first=True), None)
        total = 0 if newest is None else newest.seq

        def counted() -> Iterator[StoredEvent]:
            for stored in _events(journal):
                progress(stored.seq, total)
                yield stored

        return run_of_journal(counted(), described, _candles(account, data))


def _events(journal: Journal) -> Iterator[StoredEvent]:
    return journal.events()


def _source(account: Account) -> str:
    told = {
        "embedded": "simulated prices, computed by Chloe",
        "venue": "prices of each coin's venue",
        "files": "stored prices",
    }
    if account.rehearsal:
        return "stored prices, played through the steps of paper trading"
    return told.get(FEED_OF_ACCOUNT.get(account.name, ""), account.name)


def _currency(account: Account) -> str:
    from engine_alpha.config.assets import read_registry

    assets = read_registry(account.home.registry).assets
    return assets[0].quote_ccy if assets else "quote"


def _candles(account: Account, data: Path | None) -> Candles:
    """Return where candles come from; what can't be had is said once and left out."""
    said: set[str] = set()

    def found(wanted: CandlesWanted) -> Bars | None:
        try:
            if wanted.source == SIMULATED_SOURCE:
                return _simulated_bars(account, wanted)
            return _stored_bars(account, data, wanted)
        except ChloeError as fault:
            if str(fault) not in said:
                said.add(str(fault))
                remark(f"candles: {fault}")
            return None

    return found


def _simulated_bars(account: Account, wanted: CandlesWanted) -> Bars | None:
    import asyncio
    from dataclasses import replace

    from engine_alpha.loop.wiring import embedded_feed
    from engine_alpha.plans.setup import read_setup
    from engine_alpha.ports import BarRequest

    setup = read_setup(account.home)
    asset = next((one for one in setup.registry.assets if one.symbol == wanted.symbol), None)
    if asset is None:
        return None
    request = BarRequest(asset=replace(asset, base_timeframe=wanted.timeframe), first_open_ms=wanted.first_ms)
    return asyncio.run(embedded_feed(setup).read(request, wanted.end_ms)).bars


def _stored_bars(account: Account, data: Path | None, wanted: CandlesWanted) -> Bars | None:
    from engine_alpha.config.engine import read_engine
    from engine_alpha.feeds.files import FilesFeed
    from engine_alpha.loop.wiring import files_feed

    home = account.home
    folder = read_engine(home.engine).data_folder(home.path) if data is None else data
    if data is None and not folder.is_dir():
        return None
    venue = wanted.source.removeprefix(FILE_SOURCE).removeprefix(VENUE_SOURCE)
    feed = files_feed(folder, venue)
    if not isinstance(feed, FilesFeed):
        return None
    return feed.series(venue, wanted.symbol, wanted.timeframe).bars


def _target(account: Account, out: Path | None) -> Path:
    if out is None:
        account.home.reports.mkdir(parents=True, exist_ok=True)
        return account.home.reports / f"{account.name}.html"
    path = out.expanduser().absolute()
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent}; make it, or choose another --out")
    return path


def _tell(account: Account, run: Run, path: Path, size: int) -> None:
    from engine_alpha.reports.words import count
    from engine_alpha.times import minute

    bars = sum(len(coin.open_ms) for coin in run.coins)
    show(
        account.first_line(),
        f"{minute(run.from_ms)} to {minute(run.to_ms)}: {count(len(run.coins), 'coin')},"
        f" {count(bars, 'bar')}, {count(len(run.trades), 'trade')}",
        *(f"note: {note}" for note in run.notes),
        f"wrote {path}, {size / 1e6:.1f} MB",
    )


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.as_uri()):
        remark(f"no browser was found here; open {path} in one")
