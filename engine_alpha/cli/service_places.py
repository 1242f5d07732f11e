"""The installation that a command belongs to: this environment, this home, what its files say."""

import sys
from importlib.resources import files
from pathlib import Path

from engine_alpha.config.assets import VENUES, read_registry
from engine_alpha.config.engine import read_engine
from engine_alpha.deploy.units import Installation, watchdog_s
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.home import Home

DEFAULT_USER = "chloe"


def this_installation(home: Home, user: str | None) -> Installation:
    """Return what units of this environment and home are made from; raise `ConfigError` for its files.

    A timer goes by the shortest bars and the slowest venue of the whole registry, so that a coin enabled
    later is not missed.
    """
    engine, registry = read_engine(home.engine), read_registry(home.registry)
    frames = [asset.base_timeframe for asset in registry.assets] or ["1h"]
    settle_ms = engine.settle_delay_ms.by_venue
    venues = {asset.venue for asset in registry.assets} or VENUES
    return Installation(
        prefix=Path(sys.prefix),
        home=home.path.resolve(),
        user=user,
        sources=_sources(),
        watchdog_s=watchdog_s(engine.feed_deadline_ms),
        every=min(frames, key=TIMEFRAME_MS.__getitem__),
        settle_s=-(-max(settle_ms[venue] for venue in venues) // 1_000),
    )


def _sources() -> tuple[Path, ...]:
    """Return where code is read from outside of the environment: its Python, and a checkout."""
    package = Path(str(files("engine_alpha"))).parent
    found = (Path(sys.base_prefix), package)
    return tuple(place for place in found if not place.is_relative_to(sys.prefix))
