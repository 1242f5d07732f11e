"""Checks of an engine's own things: configuration, database, who works, its last records, its prices."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine_alpha.cli.accounts import Account, accounts_of, reading
from engine_alpha.cli.engines import runner_of
from engine_alpha.cli.records import DECISION, NO_DECISION
from engine_alpha.cli.staging import armed_symbols
from engine_alpha.config.instruments import listing_fault
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ChloeError, ConfigError, JournalError
from engine_alpha.home import Home
from engine_alpha.loop.wiring import ACCOUNT_OF_FEED, JOURNAL_NAME, make_feed
from engine_alpha.reports.doctor import FAIL, OK, WARN, Check, judged
from engine_alpha.reports.words import count
from engine_alpha.times import iso

if TYPE_CHECKING:
    from engine_alpha.plans.setup import Setup
    from engine_alpha.ports import Journal

GRACE_MS = 60_000
SKEW_WARN_MS, SKEW_FAIL_MS = 2_000, 30_000  # the feed refuses to read from the latter on

_SHOWN = 3
_LARGE_WAL_BYTES = 256 * 2**20
_SOON_DAYS = 30
_BARS_READ = 5


def configuration(home: Home, at_ms: int, thorough: bool) -> tuple[Setup | None, Check]:
    """Read all of it; say what is wrong with files, entries and cards, and which coin that concerns."""
    from engine_alpha.plans.setup import read_setup

    try:
        setup = read_setup(home)
    except ConfigError as fault:
        remedy = "mend it: an engine that runs goes on with the last good one, one that starts does too"
        return None, Check(name="configuration", level=FAIL, seen=str(fault), remedy=remedy)
    faults = [str(fault) for fault in (*setup.registry.faults, *setup.cards.faults)]
    asked_for = any(fault.enabled for fault in setup.registry.faults)
    asked_for |= any(setup.faults_of(asset.symbol) for asset in setup.enabled)
    unplanned = [text for asset in setup.enabled if thorough and (text := _planning(setup, asset, at_ms))]
    well = f"{count(len(setup.enabled), 'coin')} of {len(setup.registry.assets)} enabled, "
    well += f"{count(len(setup.cards.cards), 'card')}, feed {setup.engine.feed}"
    level = FAIL if asked_for or unplanned else WARN
    return setup, judged("configuration", level, _first([*faults, *unplanned]), well)


def _planning(setup: Setup, asset: AssetConfig, at_ms: int) -> str:
    try:
        return listing_fault(setup.plan(asset).instrument, at_ms) or ""
    except ConfigError as fault:
        return str(fault)


def databases(home: Home, thorough: bool) -> list[Check]:
    """Look at the journal of every account: can it be read, is it sound, how large will it be?"""
    from engine_alpha.journals.looking import sqlite_version

    try:
        version = sqlite_version()
    except JournalError as fault:
        return [Check(name="database", level=FAIL, seen=str(fault))]
    names = [name for name in accounts_of(home) if thorough or not name.startswith("rehearse-")]
    checks = [_database(Account(home=home, name=name), thorough) for name in names]
    well = f"SQLite {version}" + ("" if names else ", no account has a journal yet")
    return [Check(name="database", level=OK, seen=well), *checks]


def _database(account: Account, thorough: bool) -> Check:
    from engine_alpha.journals.looking import WAL, look

    name, path = f"  {account.name}", account.folder / JOURNAL_NAME
    try:
        found = look(path, thorough)
    except JournalError as fault:
        return Check(name=name, level=FAIL, seen=str(fault))
    seen = f"{count(found.events, 'event')}, {found.size_bytes / 1e6:,.1f} MB"
    if found.day_bytes is not None:
        seen += f", {found.day_bytes / 1e6:,.2f} MB a day"
    if found.faults:
        remedy = "stop the engine, keep a copy of the folder, then chloe restore a backup"
        return Check(name=name, level=FAIL, seen=f"{seen}; damaged: {found.faults[0]}", remedy=remedy)
    faults = []
    if found.mode != WAL:
        faults.append(f"its mode is {found.mode}, not {WAL}: the next chloe tick mends that")
    if found.wal_bytes > _LARGE_WAL_BYTES:
        faults.append(f"its log has {found.wal_bytes / 1e6:,.0f} MB: some reader never lets go of it")
    days = shutil.disk_usage(account.folder).free / found.day_bytes if found.day_bytes else None
    if days is not None and days < _SOON_DAYS:
        faults.append(f"the disk is full in about {count(int(days), 'day')}: make room")
    return judged(name, WARN, [f"{seen}; {fault}" for fault in faults], seen)


def engines(home: Home, setup: Setup, at_ms: int) -> list[Check]:
    """Say who works on each account that should trade, and which coin has no record of its last bar."""
    feed, live = ACCOUNT_OF_FEED[setup.engine.feed], setup.engine.live.account
    armed = armed_symbols(setup)
    paper = [asset for asset in setup.enabled if asset.symbol not in armed]
    real = [asset for asset in setup.enabled if asset.symbol in armed]
    checks = [_engine(Account(home=home, name=feed), paper, setup, at_ms)]
    if real or Account(home=home, name=live).exists:
        checks.append(_engine(Account(home=home, name=live), real, setup, at_ms))
    return checks


def _engine(account: Account, assets: Sequence[AssetConfig], setup: Setup, at_ms: int) -> Check:
    runner = runner_of(account.folder)
    name = f"engine {account.name}"
    works = f"pid {runner.pid} works since {runner.started or 'just now'}" if runner else "nobody works on it"
    if not account.exists:
        return Check(name=name, level=OK, seen=f"{works}, nothing has run yet: chloe run")
    grace_ms, settle_ms = setup.engine.feed_deadline_ms + GRACE_MS, setup.engine.settle_delay_ms.by_venue
    settled_ms = {venue: at_ms - grace_ms - delay_ms for venue, delay_ms in settle_ms.items()}
    try:
        with reading(account) as journal:
            late = _late(journal, assets, settled_ms)
    except ChloeError as fault:
        return Check(name=name, level=FAIL, seen=f"{works}; {fault}")
    well = f"{works}; {count(len(assets), 'enabled coin')}, each with a record of its last bar"
    told = [f"{works}; no record of the last bar: {', '.join(_first(late))}"] if late else []
    if runner is not None:
        return judged(
            name, FAIL, told, well, "chloe logs says what it is doing; restart it if it says nothing"
        )
    return judged(name, WARN, told, well, "start it: chloe run, or systemctl start chloe")


def _late(journal: Journal, assets: Sequence[AssetConfig], settled_ms: Mapping[str, int]) -> list[str]:
    """Return the coins whose newest bar closed by their venue's time has no record: decision, or why none."""
    from engine_alpha.step.state import state_of

    states, late = journal.states(), []
    for asset in assets:
        due_ms = (settled_ms[asset.venue] // asset.timeframe_ms - 1) * asset.timeframe_ms
        text = states.get(asset.symbol)
        if text is not None and state_of(text).sub.last_index * asset.timeframe_ms >= due_ms:
            continue
        newest = max(_newest_ms(journal, kind, asset.symbol) for kind in (DECISION, NO_DECISION))
        if newest < due_ms:
            late.append(f"{asset.symbol} ({'never one' if newest < 0 else f'last {iso(newest)}'})")
    return late


def _newest_ms(journal: Journal, kind: str, symbol: str) -> int:
    stored = next(journal.events(kind, symbol, newest_first=True), None)
    return -1 if stored is None else stored.event.bar_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    venue: str
    words: str
    fault: bool
    offset_ms: int | None


def feeds(setup: Setup, at_ms: int) -> list[Check]:
    """Read a few bars from everything prices come from; with a venue its clock is told, too."""
    name = setup.engine.feed
    if name == "embedded":
        return [Check(name="feed", level=OK, seen="embedded: simulated prices, always there")]
    assets = {asset.venue: asset for asset in reversed(setup.enabled or list(setup.registry.assets))}
    if name == "files":
        assets = dict(list(assets.items())[:1])
    if not assets:
        return [Check(name="feed", level=OK, seen=f"{name}: no coin to read")]
    answers = asyncio.run(_asked(setup, list(assets.values()), at_ms))
    faults = [answer.words for answer in answers if answer.fault]
    well = "; ".join(answer.words for answer in answers)
    remedy = "look at network, proxy (venue_urls) or stored bars; the engine tries again by itself"
    return [judged("feed", FAIL, faults, f"{name}: {well}", remedy), *_skews(answers)]


async def _asked(setup: Setup, assets: Sequence[AssetConfig], at_ms: int) -> list[_Answer]:
    from engine_alpha.ports import BarRequest

    feed, answers = make_feed(setup.engine.feed, setup), []
    try:
        for asset in assets:
            frame_ms = asset.timeframe_ms
            request = BarRequest(asset=asset, first_open_ms=(at_ms // frame_ms - _BARS_READ) * frame_ms)
            try:
                found = await feed.read(request, at_ms)
                words = f"{asset.venue} answers, {count(len(found.bars), 'bar')} of {asset.symbol} read"
                fault = False
            except ChloeError as error:
                words, fault = str(error), True
            offsets = getattr(feed, "clock_offset_ms", {})
            offset = offsets.get(asset.venue) if not fault or "clock" in words else None
            answers.append(_Answer(venue=asset.venue, words=words, fault=fault, offset_ms=offset))
    finally:
        await feed.close()
    return answers


def _skews(answers: Sequence[_Answer]) -> list[Check]:
    """Compare this machine's clock with those of the venues that answered."""
    checks = []
    for answer in answers:
        if answer.offset_ms is None:
            continue
        off = abs(answer.offset_ms)
        level = FAIL if off >= SKEW_FAIL_MS else WARN if off >= SKEW_WARN_MS else OK
        side = "behind" if answer.offset_ms > 0 else "ahead of"
        seen = f"{off / 1_000:.1f} s {side} {answer.venue}'s"
        remedy = "" if level == OK else "have the clock kept: sudo timedatectl set-ntp true, or chrony"
        checks.append(Check(name="  clock", level=level, seen=seen, remedy=remedy))
    return checks


def _first(faults: Sequence[str]) -> list[str]:
    return [*faults[:_SHOWN], *([f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else [])]
