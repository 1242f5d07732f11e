"""Extend an asset's dataset by the bars that closed since last night, or build it anew where it must be.

Law: extended night by night it is what it would be if built at once, value for value. A row of `bars` is
written once its longest forward return is known, 337 bars later, and never changed: no label reaches past the
data. A closed trade is written the night it closed.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine_alpha import __version__
from engine_alpha.backtest.compiling import code_key
from engine_alpha.config.hashing import hash_config
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.lookback import first_bar
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.home import Home
from engine_alpha.kernel.codes import REGIMES
from engine_alpha.plans.history import History, for_history
from engine_alpha.plans.setup import Setup
from engine_alpha.research.dataset.carrying import Carried, nothing_carried, packed, unpacked
from engine_alpha.research.dataset.forward import complete, forward_returns
from engine_alpha.research.dataset.health import history_notes
from engine_alpha.research.dataset.keeping import (
    Manifest,
    Writing,
    dataset_folder,
    framed,
    read_manifest,
    verified,
)
from engine_alpha.research.dataset.playing import Stretch, laid_out, played, with_rows
from engine_alpha.research.dataset.reading import NO_NIGHT, Dataset, Night
from engine_alpha.research.dataset.schema import (
    BAR_GATES,
    BARS,
    HORIZONS,
    SCHEMA,
    TRADES,
    Columns,
    Identity,
    own_sources_key,
    picked,
)
from engine_alpha.research.neutral import shadowed_setup
from engine_alpha.step.plan import AssetPlan
from engine_alpha.store.shelf import open_shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a dataset is made from: configuration, prices, and the span of bars that have closed."""

    setup: Setup  # neutral, every card a shadow
    plan: AssetPlan
    feed: FilesFeed
    bars: Bars
    funding: Funding
    wanted: History  # from the first bar, to the newest one that closed
    identity: Identity


def extend(home: Home, setup: Setup, history: History) -> Dataset:
    """Bring the dataset of the history's one symbol up to its end; return it with what this night brought.

    What is wrong with an asset's configuration or prices is said in the notes and leaves the dataset as it
    was; only a disk that takes no more raises `DataError`.
    """
    if len(history.symbols) != 1:
        raise ConfigError(f"a dataset is of one symbol, not of {', '.join(history.symbols) or 'none'}")
    shadowed = shadowed_setup(for_history(setup, history))
    asset = shadowed.enabled[0]
    folder = dataset_folder(home, history.venue, asset.symbol, asset.base_timeframe)
    try:
        source = _source(shadowed, history)
    except (ConfigError, DataError) as fault:
        return _as_it_was(folder, [f"nothing new: {fault}"])
    notes = history_notes(source.bars, source.wanted.to_ms)
    if source.wanted.from_ms >= source.wanted.to_ms:
        return _as_it_was(folder, [*notes, "nothing new: no bar to decide on"])
    before, carried, rebuilt = _before(folder, source)
    if before is not None and source.wanted.to_ms <= before.to_ms:
        if source.wanted.to_ms < before.to_ms:
            notes.append("it holds later bars than asked for: read it with until_ms")
        return Dataset(folder=folder, manifest=before, night=replace(NO_NIGHT, notes=tuple(notes)))
    return _extended(folder, source, before, carried, (rebuilt, notes))


def _source(shadowed: Setup, history: History) -> Source:
    asset = shadowed.enabled[0]
    faults = shadowed.faults_of(asset.symbol)
    if faults:
        raise ConfigError("; ".join(faults))
    plan = shadowed.plan(asset)
    feed = FilesFeed(open_shelf(history.data), history.venue)
    series = feed.series(asset.venue, asset.symbol, asset.base_timeframe)
    bars = series.bars.between(0, history.to_ms)
    frame_ms = asset.timeframe_ms
    first_ms = int(bars.open_ms[0]) if len(bars) else history.to_ms
    from_ms = max(-(-history.from_ms // frame_ms) * frame_ms, first_ms)
    to_ms = int(bars.close_ms[-1]) if len(bars) else from_ms
    return Source(
        setup=shadowed,
        plan=plan,
        feed=feed,
        bars=bars,
        funding=series.funding,
        wanted=replace(history, from_ms=from_ms, to_ms=to_ms),
        identity=Identity(
            schema=SCHEMA,
            engine=__version__,
            code=f"{code_key()}-{own_sources_key()}",
            config=_config_hash(shadowed, plan),
            from_ms=from_ms,
        ),
    )


def _config_hash(setup: Setup, plan: AssetPlan) -> str:
    """Return a hash of all configuration that decides; the asset's place and the set's name do not."""
    rules: Any = plan.rules._replace(asset=plan.rules.asset._replace(place=0))
    parts = {
        "rules": rules,
        "names": plan.names,
        "instrument": plan.instrument,
        "detail": plan.detail,
        "delay_ms": setup.engine.max_entry_delay_ms,
    }
    return hash_config(parts)[:32]


def _before(folder: Path, source: Source) -> tuple[Manifest | None, Carried, str | None]:
    """Return last night's dataset and what it carries; else nothing, and why it can't be gone on from."""
    try:
        manifest = read_manifest(folder)
        if manifest is None:
            return None, nothing_carried(), None
        why = manifest.identity.differs(source.identity)
        longer = source.wanted.to_ms >= manifest.to_ms
        if why is None and longer and _bars_sha256(source, manifest.to_ms) != manifest.bars_sha256:
            why = "bars or settlements that it had read were revised"
        if why is not None:
            return None, nothing_carried(), why
        content = verified(folder / manifest.carried_file, manifest.carried_sha256)
        for parts in manifest.tables.values():
            for part in parts.values():
                verified(folder / part.file, part.sha256)
        return manifest, unpacked(content), None
    except DataError as damage:
        return None, nothing_carried(), f"it is damaged: {damage}"


def _bars_sha256(source: Source, to_ms: int) -> str:
    """Return a hash of all prices and settlements that bars closed by `to_ms` could read."""
    frame_ms = source.bars.timeframe_ms
    first_ms = first_bar(source.wanted.from_ms // frame_ms) * frame_ms
    read = [source.bars.between(first_ms, to_ms)]
    if source.plan.detail is not None:
        asset = source.plan.asset
        read.append(source.feed.minutes(asset.venue, asset.symbol).between(first_ms, to_ms))
    funding = source.funding.between(first_ms, to_ms)
    digest = hashlib.sha256()
    columns = [funding.settled_ms, funding.rate_frac]
    for bars in read:
        columns += [bars.open_ms, bars.open, bars.high, bars.low, bars.close, bars.volume]
        columns += [bars.mark_high, bars.mark_low]
    for column in columns:
        digest.update(len(column).to_bytes(8, "little") + np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _extended(
    folder: Path,
    source: Source,
    before: Manifest | None,
    carried: Carried,
    said: tuple[str | None, list[str]],
) -> Dataset:
    """Play the new bars, write what is complete, and make it count."""
    rebuilt, notes = said
    wanted = source.wanted if before is None else replace(source.wanted, from_ms=before.to_ms)
    stretch = played(laid_out(source.setup, source.feed, wanted, carried.last_index), carried)
    rows, pending = _completed(with_rows(carried, stretch), source)
    writing = Writing(folder=folder, written=[])
    tables = before.tables if before is not None else {BARS: {}, TRADES: {}}
    made = {BARS: framed(rows), TRADES: framed(stretch.trades)}
    tables = {table: writing.appended(table, tables[table], made[table]) for table in (BARS, TRADES)}
    left = Carried(state=stretch.state, pending=pending, scored=stretch.scored, scores=stretch.scores)
    file, sha256 = writing.put("carried", ".npz", packed(left))
    manifest = Manifest(
        venue=source.wanted.venue,
        symbol=source.plan.asset.symbol,
        timeframe=source.plan.asset.base_timeframe,
        identity=source.identity,
        to_ms=source.wanted.to_ms,
        bars_sha256=_bars_sha256(source, source.wanted.to_ms),
        gates=BAR_GATES,
        horizons=HORIZONS,
        cards=_counted(source.plan.names, before, made[TRADES]),
        tables=tables,
        carried_file=file,
        carried_sha256=sha256,
    )
    writing.finish(manifest)
    night = Night(
        rows_new=len(made[BARS]),
        trades_new=len(made[TRADES]),
        rebuilt=rebuilt,
        notes=(*notes, *_night_notes(stretch, manifest)),
    )
    return Dataset(folder=folder, manifest=manifest, night=night)


def _completed(rows: Columns, source: Source) -> tuple[dict[str, Any], Columns]:
    """Return the rows whose longest forward return is known, with all of them, and those that wait."""
    frame_ms = source.bars.timeframe_ms
    numbers = rows["open_ms"] // frame_ms
    done = complete(numbers, source.wanted.to_ms // frame_ms)
    ready = picked(rows, done)
    words = np.array(REGIMES, dtype=object)[ready["regime"]]
    written = {**ready, "regime": words, **forward_returns(numbers[done], source.bars)}
    return written, picked(rows, ~done)


def _counted(names: tuple[str, ...], before: Manifest | None, trades: pl.DataFrame) -> dict[str, int]:
    """Return how many closed trades each card has."""
    counts = {name: before.cards.get(name, 0) if before is not None else 0 for name in names}
    for name in trades["card"].to_list():
        counts[name] += 1
    return counts


def _night_notes(stretch: Stretch, manifest: Manifest) -> list[str]:
    notes = [f"{bars} bars of this night were not decided on: {reason}" for reason, bars in stretch.refused]
    notes += [f"card {name} has no closed trade" for name, count in manifest.cards.items() if count == 0]
    return notes


def _as_it_was(folder: Path, notes: list[str]) -> Dataset:
    """Return what is on disk, untouched."""
    try:
        manifest = read_manifest(folder)
    except DataError as damage:
        manifest, notes = None, [*notes, str(damage)]
    return Dataset(folder=folder, manifest=manifest, night=replace(NO_NIGHT, notes=tuple(notes)))
