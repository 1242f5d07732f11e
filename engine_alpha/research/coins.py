"""Which coins a night looks at, at which venue, and what is stored of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.plans.setup import Setup
from engine_alpha.store.shelf import open_shelf

Span = tuple[int, int]
"""When the first stored bar opened and the last one closed, in ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """Coins in the order of the registry, and by symbol what is stored of those that have any bars."""

    data: Path
    venue: str
    assets: tuple[AssetConfig, ...]
    spans: Mapping[str, Span]


def looked_at(setup: Setup, venue: str | None = None, symbols: tuple[str, ...] = ()) -> LookedAt:
    """Return the coins named, else the enabled ones and every other one with bars at the venue.

    Without a venue it is the one of most enabled coins. Raises `ConfigError` for a coin that the registry has
    not, and where prices are simulated and no venue is named.
    """
    if setup.engine.feed == "embedded" and not venue:
        raise ConfigError(
            "this home's prices are simulated, research on them would find what was put in; fetch real ones: "
            "chloe data download, then chloe research run --venue bybit"
        )
    for symbol in symbols:
        if symbol not in setup.order:
            raise ConfigError(
                f"{symbol} is not in {setup.home.registry}: add it, or name one of {', '.join(setup.order)}"
            )
    venue = venue or _common_venue(setup)
    data = setup.engine.data_folder(setup.home.path)
    wanted = [asset for asset in setup.registry.assets if not symbols or asset.symbol in symbols]
    spans = _spans(data, venue, wanted)
    named = symbols or {asset.symbol for asset in setup.enabled if asset.venue == venue}
    assets = tuple(asset for asset in wanted if asset.symbol in spans or asset.symbol in named)
    return LookedAt(data=data, venue=venue, assets=assets, spans=spans)


def _common_venue(setup: Setup) -> str:
    if setup.engine.feed == "files":
        return setup.engine.files.venue
    venues = [asset.venue for asset in setup.enabled or setup.registry.assets]
    return max(dict.fromkeys(venues), key=venues.count)


def _spans(data: Path, venue: str, assets: list[AssetConfig]) -> dict[str, Span]:
    """Return what is stored of each asset; nothing of those whose bars can't be read."""
    spans: dict[str, Span] = {}
    if not data.is_dir():
        return spans
    feed = FilesFeed(open_shelf(data), venue)
    for asset in assets:
        try:
            bars = feed.series(venue, asset.symbol, asset.base_timeframe).bars
        except DataError:
            continue
        if len(bars):
            spans[asset.symbol] = (int(bars.open_ms[0]), int(bars.close_ms[-1]))
    return spans
