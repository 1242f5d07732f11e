"""What a backtest reads from a home: the plans of its assets and the bars they run over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine_alpha.backtest.world import Prepared, readable_bars
from engine_alpha.config.assets import known_symbols
from engine_alpha.config.cards import read_cards
from engine_alpha.config.risk import read_risk, shares_fault
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.detail import detail_of, no_minutes
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.feeds.files import FilesFeed, Series
from engine_alpha.home import Home
from engine_alpha.plans.history import History, due_numbers, for_history
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.store.shelf import open_shelf

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What stands in for the home's own files: a folder of cards, a risk.json, the detail inside bars."""

    cards: Path | None = None
    risk: Path | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The assets that can run, in the registry's order, and why the others can't."""

    assets: tuple[Prepared, ...]
    refused: tuple[tuple[str, str, str], ...]  # symbol, reason, detail


def backtest_setup(home: Home, wanted: History, overrides: Overrides) -> Setup:
    """Return the configuration a backtest runs on; raise `ConfigError` for what no asset can do without."""
    setup = read_setup(home)
    if overrides.risk is not None:
        setup = replace(setup, risk=read_risk(overrides.risk))
        fault = shares_fault(setup.risk, setup.registry.assets)
        if fault is not None:
            raise ConfigError(f"{overrides.risk}: {fault}")
    if overrides.detail is not None:
        setup = replace(setup, risk=setup.risk.model_copy(update={"detail": overrides.detail}))
    if overrides.cards is not None:
        contracts = [symbol for each in setup.instruments.values() for symbol in each]
        known = known_symbols(setup.registry, contracts)
        setup = replace(setup, cards=read_cards(overrides.cards, known))
    return for_history(setup, wanted)


def gathered(setup: Setup, wanted: History, progress: Progress = lambda done, total: None) -> Gathered:
    """Read every asset's bars and compute its features; `progress` gets (assets done, of how many).

    Raises `ConfigError` if there is not one bar to decide on, saying what the data holds.
    """
    feed = FilesFeed(open_shelf(wanted.data), wanted.venue)
    assets: list[Prepared] = []
    refused: list[tuple[str, str, str]] = []
    spans: list[str] = []
    for done, asset in enumerate(setup.enabled):
        progress(done, len(setup.enabled))
        try:
            found = prepared(setup, feed, asset, wanted)
        except (ConfigError, DataError) as fault:
            reason = fault.reason if isinstance(fault, DataError) else "config"
            refused.append((asset.symbol, reason, str(fault)))
            continue
        assets.append(found[0])
        spans.append(f"{asset.symbol} {found[1]}")
    if not any(_decided_bars(each, wanted) for each in assets):
        raise ConfigError(_nothing(wanted, refused, spans))
    return Gathered(assets=tuple(assets), refused=tuple(refused))


def prepared(setup: Setup, feed: FilesFeed, asset: AssetConfig, wanted: History) -> tuple[Prepared, str]:
    """Return one asset made ready and the span of its series in words; raise `ConfigError` or `DataError`."""
    faults = setup.faults_of(asset.symbol)
    if faults:
        raise ConfigError("; ".join(faults))
    plan = setup.plan(asset)
    series = feed.series(asset.venue, asset.symbol, asset.base_timeframe)
    bars = readable_bars(series.bars, wanted.from_ms, wanted.to_ms)
    minutes = no_minutes()
    if plan.detail is not None and len(bars):
        inside = feed.minutes(asset.venue, asset.symbol)
        minutes = inside.between(int(bars.open_ms[0]), int(bars.close_ms[-1]))
    found = Prepared(
        plan=plan,
        bars=bars,
        funding=series.funding,
        detail=detail_of(bars, minutes),
        first=int(np.searchsorted(bars.open_ms, wanted.from_ms)),
    )
    return found, _span(series)


def _decided_bars(each: Prepared, wanted: History) -> int:
    first, end = due_numbers(each.plan.asset, wanted)
    return len(each.bars.between(first * each.bars.timeframe_ms, end * each.bars.timeframe_ms))


def _span(series: Series) -> str:
    if len(series.bars) == 0:
        return "has no bars"
    first, last = (str(series.bars.open_ms[at].astype("datetime64[ms]"))[:16] for at in (0, -1))
    return f"{first} to {last}"


def _nothing(wanted: History, refused: list[tuple[str, str, str]], spans: list[str]) -> str:
    why = "; ".join([*(detail for _, _, detail in refused), *(f"there is {span}" for span in spans)])
    return f"no bar to decide on in {wanted.data} for --from and --to as given: {why}"
