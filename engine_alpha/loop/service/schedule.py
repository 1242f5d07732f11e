"""When each asset of an account is stepped: at its closes, again after a fault, rarely while it stays faulty.

An error budget per asset: a fault takes one from it, a success gives some back. Once it is used up the asset
rests and is only tried now and then, in a tick of its own, so that the healthy ones never wait for it. One
success brings it back, with a budget of one.

Each venue settles its bars in its own time: `settle_ms` of a whole account is that delay by venue. An asset
whose bar is settling is due when that is over, so that a tick never waits for the slower venue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine_alpha.domain.asset import AssetConfig

BUDGET, REFUND = 5.0, 0.25
PAUSES_MS = (5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 900_000)
"""How long after the first, second ... fault in a row an asset is tried again."""
LONGEST_PAUSE_MS, LONGEST_LIVE_PAUSE_MS = PAUSES_MS[-1], 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one asset is doing. `bar_ms` opened the newest bar that is done with, `written_ms` the newest one
    that has any record: a decision, or why there is none."""

    bar_ms: int = -1
    written_ms: int = -1
    budget: float = BUDGET
    faults: int = 0  # in a row
    faulty_since_ms: int | None = None
    retry_ms: int = 0
    resting: bool = False
    reason: str = ""

    def after_success(self, open_ms: int) -> "Standing":
        """Return the standing after the bar got its decision."""
        budget = 1.0 if self.resting else min(BUDGET, self.budget + REFUND)
        return Standing(bar_ms=open_ms, written_ms=open_ms, budget=budget)

    def after_refusal(self, open_ms: int, reason: str, now_ms: int) -> "Standing":
        """Return the standing after configuration refused it: that bar is done with until an edit."""
        since = now_ms if self.faulty_since_ms is None else self.faulty_since_ms
        return replace(self, bar_ms=open_ms, written_ms=open_ms, reason=reason, faulty_since_ms=since)

    def after_fault(
        self, open_ms: int, reason: str, now_ms: int, longest_ms: int = LONGEST_PAUSE_MS
    ) -> "Standing":
        """Return the standing after a fault, with the time of the next attempt."""
        faults, budget = self.faults + 1, max(0.0, self.budget - 1.0)
        pause_ms = min(longest_ms, PAUSES_MS[min(faults, len(PAUSES_MS)) - 1])
        return replace(
            self,
            written_ms=max(self.written_ms, open_ms),
            budget=budget,
            faults=faults,
            faulty_since_ms=now_ms if self.faulty_since_ms is None else self.faulty_since_ms,
            retry_ms=now_ms + pause_ms,
            resting=budget < 1.0,
            reason=reason,
        )

    def written(self, open_ms: int) -> "Standing":
        """Return the standing once a bar has a record without an attempt."""
        return replace(self, written_ms=max(self.written_ms, open_ms))

    def to_try_again(self) -> "Standing":
        """Return the standing as it is tried at once: what kept it may be gone."""
        return replace(self, bar_ms=-1, retry_ms=0) if self.faulty_since_ms is not None else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which assets are to be stepped now: the healthy ones in one tick, those that rest in their own."""

    healthy: tuple[str, ...]
    probes: tuple[str, ...]


def newest_open_ms(asset: AssetConfig, now_ms: int, settle_ms: int) -> int:
    """Return when the newest bar opened that has closed and settled."""
    return ((now_ms - settle_ms) // asset.timeframe_ms - 1) * asset.timeframe_ms


def settled_from_ms(asset: AssetConfig, at_ms: int, settle_ms: int) -> int:
    """Return when, from `at_ms` on, no closed bar of the asset is still settling."""
    return max(at_ms, at_ms // asset.timeframe_ms * asset.timeframe_ms + settle_ms)


def next_close_ms(asset: AssetConfig, now_ms: int) -> int:
    """Return when the asset's forming bar closes."""
    return (now_ms // asset.timeframe_ms + 1) * asset.timeframe_ms


def due(
    assets: Iterable[AssetConfig], standings: dict[str, Standing], now_ms: int, settle_ms: Mapping[str, int]
) -> Due:
    """Return what is due at `now_ms`: bars that have closed and settled and are not done with."""
    healthy: list[str] = []
    probes: list[str] = []
    for asset in assets:
        standing = standings.get(asset.symbol, Standing())
        delay_ms = settle_ms[asset.venue]
        newest = newest_open_ms(asset, now_ms, delay_ms)
        if standing.bar_ms >= newest or not _may_try(standing, newest, now_ms):
            continue
        if settled_from_ms(asset, now_ms, delay_ms) > now_ms:
            continue
        (probes if standing.resting else healthy).append(asset.symbol)
    return Due(healthy=tuple(healthy), probes=tuple(probes))


def _may_try(standing: Standing, newest_ms: int, now_ms: int) -> bool:
    """Say whether it is time: a new bar is tried at once, unless the asset rests."""
    return now_ms >= standing.retry_ms or (not standing.resting and standing.written_ms < newest_ms)


def next_ms(
    assets: Iterable[AssetConfig], standings: dict[str, Standing], now_ms: int, settle_ms: Mapping[str, int]
) -> int:
    """Return when something is due next; far away where nothing is stepped."""
    earliest = now_ms + 86_400_000
    for asset in assets:
        standing = standings.get(asset.symbol, Standing())
        delay_ms = settle_ms[asset.venue]
        newest = newest_open_ms(asset, now_ms, delay_ms)
        earliest = min(earliest, newest + 2 * asset.timeframe_ms + delay_ms)
        if standing.bar_ms < newest:
            retry_ms = max(now_ms, standing.retry_ms)
            earliest = min(earliest, settled_from_ms(asset, retry_ms, delay_ms))
    return earliest


def unwritten(
    assets: Iterable[AssetConfig], standings: dict[str, Standing], now_ms: int, settle_ms: Mapping[str, int]
) -> list[AssetConfig]:
    """Return the resting assets whose newest bar has no record yet: it must get one without an attempt."""
    return [
        asset
        for asset in assets
        if (standing := standings.get(asset.symbol, Standing())).resting
        and standing.written_ms < newest_open_ms(asset, now_ms, settle_ms[asset.venue])
    ]
