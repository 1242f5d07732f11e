"""Is it trading? Every enabled asset has a record for its last closed bar, or somebody must be told.

A record is a decision or why there is none: one coin's fault leaves the engine healthy. A loop that hangs, or
a journal that can't be written, does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.loop.service.schedule import Standing, newest_open_ms, settled_from_ms
from engine_alpha.times import clock_time

GRACE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One account as the watch sees it: the enabled assets it steps, how they do, its trouble.

    `settle_ms` is how long each venue's bars settle.
    """

    name: str
    assets: Sequence[AssetConfig]
    standings: dict[str, Standing]
    trouble: str
    settle_ms: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`healthy` feeds the watchdog; `words` is one line for people, which names the worst asset."""

    healthy: bool
    words: str


def health(views: Iterable[View], now_ms: int, patience_ms: int, next_ms: int | None) -> Health:
    """Judge all accounts.

    `patience_ms` is how long a tick may take once a bar has settled, `next_ms` the next close, None
    without any.
    """
    found = list(views)
    stuck = [f"{view.name} stands still: {view.trouble}" for view in found if view.trouble]
    grace_ms = patience_ms + GRACE_MS
    silent = [
        asset.symbol for view in found for asset in view.assets if _is_silent(view, asset, now_ms, grace_ms)
    ]
    if silent:
        stuck.append(f"no record of the last close: {', '.join(silent[:3])}")
    nearest = "no asset is enabled" if next_ms is None else f"next close {clock_time(next_ms)} UTC"
    parts = [_counted(found), *stuck, *_worst(found), nearest]
    return Health(healthy=not stuck, words="; ".join(parts))


def _is_silent(view: View, asset: AssetConfig, now_ms: int, grace_ms: int) -> bool:
    """Say whether a bar is without a record for too long; the very first one may settle yet."""
    standing, delay_ms = _standing(view, asset), view.settle_ms[asset.venue]
    if standing.written_ms < 0 and settled_from_ms(asset, now_ms, delay_ms) > now_ms:
        return False
    return standing.written_ms < newest_open_ms(asset, now_ms, delay_ms + grace_ms)


def _standing(view: View, asset: AssetConfig) -> Standing:
    return view.standings.get(asset.symbol, Standing())


def _counted(views: Sequence[View]) -> str:
    standings = [_standing(view, asset) for view in views for asset in view.assets]
    good = sum(1 for standing in standings if standing.faulty_since_ms is None and standing.bar_ms >= 0)
    if good == len(standings):
        return f"{good} assets decided" if good != 1 else "1 asset decided"
    return f"{good} of {len(standings)} assets decided"


def _worst(views: Sequence[View]) -> list[str]:
    """Return one phrase on the asset that has been without a decision for longest."""
    faulty = [
        (standing.faulty_since_ms, asset.symbol, standing)
        for view in views
        for asset in view.assets
        if (standing := _standing(view, asset)).faulty_since_ms is not None
    ]
    if not faulty:
        return []
    since_ms, symbol, standing = min(faulty, key=lambda one: (one[0] or 0, one[1]))
    words = f"worst {symbol}: {standing.reason} since {clock_time(since_ms or 0)}"
    return [f"{words}, rests until {clock_time(standing.retry_ms)}" if standing.resting else words]
