"""Which history to play, and the home's configuration as a rehearsal or a backtest takes it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine_alpha.config.assets import Registry
from engine_alpha.config.instruments import is_spot_data, venue_of_data
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.plans.setup import Setup, read_setup


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What to play: `venue` as the data files name it, times in ms UTC, bars opening in [from_ms, to_ms)."""

    data: Path
    venue: str
    symbols: tuple[str, ...]
    from_ms: int
    to_ms: int


def history_setup(home: Home, wanted: History) -> Setup:
    """Return the home's configuration with `symbols` standing in for `enabled` and one venue for all."""
    return for_history(read_setup(home), wanted)


def for_history(setup: Setup, wanted: History) -> Setup:
    """Return a setup as a run over history takes it; raise `ConfigError` for what can't be played."""
    if wanted.from_ms >= wanted.to_ms:
        raise ConfigError("--from must be before --to")
    known = {asset.symbol for asset in setup.registry.assets}
    for symbol in wanted.symbols:
        if symbol not in known:
            raise ConfigError(
                f"{symbol} is not in {setup.home.registry}: add it, or name one of {', '.join(setup.order)}"
            )
    venue = venue_of_data(wanted.venue)
    assets = tuple(
        replace(asset, enabled=asset.symbol in wanted.symbols, venue=venue) for asset in setup.registry.assets
    )
    instruments = setup.instruments
    if is_spot_data(wanted.venue):
        unbound = {symbol: replace(rules, listed_ms=None) for symbol, rules in instruments[venue].items()}
        instruments = {**instruments, venue: unbound}
    registry = Registry(assets=assets, faults=())
    return replace(setup, registry=registry, instruments=instruments, made={})


def due_numbers(asset: AssetConfig, wanted: History) -> tuple[int, int]:
    """Return the numbers of an asset's bars that open in [from_ms, to_ms): the first and the end."""
    frame_ms = asset.timeframe_ms
    return -(-wanted.from_ms // frame_ms), -(-wanted.to_ms // frame_ms)


def due_at(assets: Iterable[AssetConfig], wanted: History) -> dict[int, set[str]]:
    """Return the closes of all bars that open in [from_ms, to_ms), ascending, and whose bars close then."""
    due: dict[int, set[str]] = {}
    for asset in assets:
        first, end = due_numbers(asset, wanted)
        for number in range(first + 1, end + 1):
            due.setdefault(number * asset.timeframe_ms, set()).add(asset.symbol)
    return dict(sorted(due.items()))
