"""`chloe instruments`: what the venues say about their contracts, in dated snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, now_ms, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.config.assets import VENUES, read_registry
from engine_alpha.config.instruments import (
    InstrumentChange,
    Snapshot,
    diff_instruments,
    instruments_in,
    load_instruments,
    newest_snapshot,
    read_snapshot,
    snapshot_of,
    write_snapshot,
)
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.domain.instrument import Instrument

NOW = "the venue now"
REFRESHED = "Read from the venue on"
venue_option = click.option("--venue", type=click.Choice(VENUES), help="Only this venue.")
url_option = click.option("--url", metavar="URL", help="Another base address for the venue: a proxy, a test.")


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=examples(
        "chloe instruments                          what the newest snapshots say of the registry's coins",
        "chloe instruments diff bybit               what changed at the venue since the snapshot",
        "chloe instruments refresh --venue bybit    the same, written as today's snapshot",
    ),
)
@home_option
@json_option
@click.pass_context
def instruments(ctx: click.Context) -> None:
    """Tick, lot, minimums, tiers, fees and listing dates: config/instruments, a dated snapshot per venue."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_instruments)


@instruments.command(
    "list", epilog=examples("chloe instruments list", "chloe instruments list --venue binance")
)
@venue_option
@home_option
@json_option
def list_instruments(venue: str | None = None) -> None:
    """List the newest snapshot: the registry's coins at their own venues, or all of one venue."""
    home = chosen_home()
    found: list[Instrument] = []
    if venue is not None:
        found = list(load_instruments(home.instruments, venue).values())
    else:
        for asset in read_registry(home.registry).assets:
            known = load_instruments(home.instruments, asset.venue).get(asset.symbol)
            found += [] if known is None else [known]
    snapshots = {
        name: newest_snapshot(home.instruments, name).stem for name in {each.venue for each in found}
    }
    if wants_json():
        show_json({"snapshots": snapshots, "instruments": [asdict(each) for each in found]})
        return
    from engine_alpha.reports.instruments import instruments_table

    show(f"from {', '.join(sorted(snapshots.values()))} in {home.instruments}", "", instruments_table(found))


@instruments.command(
    epilog=examples(
        "chloe instruments diff bybit                    newest snapshot and the venue as it is now",
        "chloe instruments diff bybit_2025-09-18         that snapshot and the venue as it is now",
        "chloe instruments diff bybit_2025-01-01 bybit_2025-09-18",
    )
)
@click.argument("before")
@click.argument("after", required=False)
@url_option
@home_option
@json_option
def diff(before: str, after: str | None, url: str | None) -> None:
    """Show what changed between two snapshots, or between one and the venue now.

    BEFORE and AFTER are files, names without .json, or a venue for its newest snapshot.
    """
    home = chosen_home()
    old = read_snapshot(_path(home, before))
    if after is not None:
        new = instruments_in(read_snapshot(_path(home, after)))
    else:
        new = _fetched(home, old.venue, instruments_in(old), url)
    changes = diff_instruments(instruments_in(old), new)
    if wants_json():
        show_json({"before": before, "after": after or NOW, "changes": _change_fields(changes)})
    else:
        show(*_change_lines(changes))


@instruments.command(
    epilog=examples("chloe instruments refresh --venue bybit", "chloe instruments refresh --dry-run")
)
@venue_option
@url_option
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@click.option("--accept-settled", is_flag=True, help="Believe that contracts have been settled.")
@home_option
@json_option
def refresh(venue: str | None, url: str | None, dry_run: bool, accept_settled: bool) -> None:
    """Ask the venues for the registry's coins and their successors, and write today's snapshot.

    By default all venues of the registry. The changes are shown first; without any, nothing is written. A
    contract that is newly settled would be left at once: that needs --accept-settled.
    """
    home = chosen_home()
    venues = [venue] if venue else sorted({asset.venue for asset in read_registry(home.registry).assets})
    if url is not None and len(venues) != 1:
        raise click.UsageError("--url needs --venue")
    done = [_refreshed(home, name, url, (dry_run, accept_settled)) for name in venues]
    if wants_json():
        show_json({"home": str(home.path), "venues": done})


def _refreshed(home: Home, venue: str, url: str | None, wishes: tuple[bool, bool]) -> dict[str, Any]:
    """Show what changed at one venue, write it, and return both for JSON."""
    old = read_snapshot(newest_snapshot(home.instruments, venue))
    known = instruments_in(old)
    new = _fetched(home, venue, known, url)
    changes = diff_instruments(known, new)
    if not wants_json():
        show(f"{venue}, since {old.as_of}:", *_change_lines(changes))
    dry_run, accept_settled = wishes
    settled = [each.symbol for each in changes if each.field == "settled_ms" and each.before is None]
    if settled and not accept_settled and not dry_run:
        raise ConfigError(
            f"{venue} no longer lists {', '.join(settled)}: positions there would be left. Look there; "
            "if it is so, repeat with --accept-settled. Nothing was written"
        )
    written = str(_write(home, old, new)) if changes and not dry_run else None
    if not wants_json():
        show(f"wrote {written}" if written else "nothing written")
    fields = {"venue": venue, "since": old.as_of, "written": written}
    return {**fields, "changes": _change_fields(changes)}


def _write(home: Home, old: Snapshot, new: dict[str, Instrument]) -> Path:
    """Write today's snapshot; contracts that did not change keep their entry to the letter."""
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date().isoformat()
    earlier = [note for note in old.notes if not note.startswith(REFRESHED)]
    notes = (
        f"{REFRESHED} {today}: grid, dates and what tiers it publishes; notes below are older.",
        *earlier,
    )
    made = snapshot_of(old.venue, today, new.values(), notes)
    known = instruments_in(old)
    same = {symbol: old.instruments[symbol] for symbol in known if known[symbol] == new.get(symbol)}
    entries = {**made.instruments, **same}
    return write_snapshot(home.instruments, made.model_copy(update={"instruments": entries}))


def _fetched(home: Home, venue: str, known: dict[str, Instrument], url: str | None) -> dict[str, Instrument]:
    """Return the venue's contracts now: the registry's and their successors asked for, others as known."""
    from engine_alpha.config.engine import read_engine
    from engine_alpha.feeds.ccxt_instruments import fetch_instruments

    urls: dict[str, str] = dict(read_engine(home.engine).venue_urls)
    if url is not None:
        urls[venue] = url
    symbols = [asset.symbol for asset in read_registry(home.registry).assets]
    successors = [known[symbol].successor for symbol in symbols if symbol in known]
    wanted = list(dict.fromkeys([*symbols, *(each for each in successors if each)]))
    found = asyncio.run(fetch_instruments(venue, wanted, known, urls))
    return {**known, **{each.symbol: _with_tiers(each, venue) for each in found}}


def _with_tiers(found: Instrument, venue: str) -> Instrument:
    if not found.tiers:
        raise ConfigError(
            f"{found.symbol}: {venue} gives no maintenance tiers and no snapshot has them: add its entry "
            f"with tiers to config/instruments by hand, or take {found.symbol} out of the registry"
        )
    return found


def _path(home: Home, name: str) -> Path:
    """Return the snapshot that a name means: a venue's newest, a name in the home, or a file."""
    if name in VENUES:
        return newest_snapshot(home.instruments, name)
    inside = home.instruments / (name if name.endswith(".json") else f"{name}.json")
    return inside if inside.exists() else Path(name).expanduser()


def _change_lines(changes: Sequence[InstrumentChange]) -> list[str]:
    from engine_alpha.reports.instruments import change_words

    lines = [change_words(each.symbol, each.field, each.before, each.after) for each in changes]
    return lines or ["nothing changed"]


def _change_fields(changes: Sequence[InstrumentChange]) -> list[dict[str, Any]]:
    return [
        {
            "symbol": each.symbol,
            "field": each.field,
            "before": _value(each.before),
            "after": _value(each.after),
        }
        for each in changes
    ]


def _value(value: Any) -> Any:
    """Return a changed value as JSON can have it."""
    if isinstance(value, tuple):
        return [asdict(tier) for tier in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
