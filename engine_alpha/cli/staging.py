"""Which assets a status shows, and at what stage each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine_alpha.cli.accounts import Account
from engine_alpha.config.instruments import listing_fault
from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.loop.arming import armed, counting

if TYPE_CHECKING:
    from engine_alpha.plans.setup import Setup
    from engine_alpha.step.state import AccountBook, AssetState

PAPER, LIVE, CLOSE_ONLY, REFUSED, REHEARSED = "paper", "live", "close-only", "refused", "rehearsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One asset on the screen; `fault` says why it is close-only or refused."""

    symbol: str
    timeframe: str
    stage: str
    fault: str | None
    state: AssetState | None

    @property
    def timeframe_ms(self) -> int:
        """Length of its bars; 0 for a broken entry that was never stepped."""
        return TIMEFRAME_MS.get(self.timeframe, 0)


def staged_assets(setup: Setup, book: AccountBook, account: Account, at_ms: int) -> list[Staged]:
    """Return what this account steps, broken entries, and what still holds something, in registry order.

    Armed assets are a live account's, the others paper's.
    """
    known = {asset.symbol: asset for asset in setup.registry.assets}
    broken = [fault.symbol for fault in setup.registry.faults]
    names = [*known, *broken, *sorted(book.assets)]
    real, found = armed_symbols(setup), []
    for symbol in dict.fromkeys(names):
        state = book.assets.get(symbol)
        if state is None and symbol in known and not known[symbol].enabled:
            continue
        if account.rehearsal:
            if state is not None:
                found.append(_staged(symbol, known.get(symbol), state, (REHEARSED, None)))
            continue
        stage = _stage(setup, symbol, known.get(symbol), state, at_ms)
        if (symbol in real) != account.live:
            stage = _left_here(setup, account, state, stage)
        elif account.live and stage == (PAPER, None):
            stage = (LIVE, None)
        if stage is not None:
            found.append(_staged(symbol, known.get(symbol), state, stage))
    return found


def armed_symbols(setup: Setup) -> frozenset[str]:
    """Return the assets whose orders are real now."""
    live = setup.engine.live
    venues = {asset.symbol: asset.venue for asset in setup.registry.assets}
    return frozenset(counting(armed(setup.home.account(live.account)), live.environment, venues))


def _left_here(
    setup: Setup, account: Account, state: AssetState | None, stage: tuple[str, str | None] | None
) -> tuple[str, str | None] | None:
    """Return the stage of an asset that another account steps: only what it still holds here matters."""
    if stage is None or state is None or state.is_flat:
        return None
    live = setup.engine.live
    why = f"armed, its real orders are in {live.account}; stepped here until it is flat"
    if account.live:
        why = "not armed; stepped until it is flat"
        if account.name != live.account:
            why = f"not stepped while live.environment is {live.environment}; its stop at the venue stays"
    return CLOSE_ONLY, stage[1] or why


def _staged(
    symbol: str, asset: AssetConfig | None, state: AssetState | None, stage: tuple[str, str | None]
) -> Staged:
    held = state is not None and (asset is None or not state.is_flat)
    config = state.config if state is not None and held else asset
    timeframe = config.base_timeframe if config is not None else ""
    return Staged(symbol=symbol, timeframe=timeframe, stage=stage[0], fault=stage[1], state=state)


def _stage(
    setup: Setup, symbol: str, asset: AssetConfig | None, state: AssetState | None, at_ms: int
) -> tuple[str, str | None] | None:
    """Return stage and reason; None for an asset that has nothing to do here."""
    held = state is not None and not state.is_flat
    faults = setup.faults_of(symbol)
    if faults and (asset is None or asset.enabled or held):
        return (CLOSE_ONLY if held else REFUSED), "; ".join(faults)
    if asset is None:
        return (CLOSE_ONLY, "is no longer in the registry") if held else None
    if not asset.enabled:
        return (CLOSE_ONLY, "disabled; stepped until it is flat") if held else None
    fault = _planning_fault(setup, asset, at_ms)
    if fault is not None:
        return (CLOSE_ONLY if held else REFUSED), fault
    if state is not None and held:
        old = state.config
        if (old.venue, old.base_timeframe) != (asset.venue, asset.base_timeframe):
            told = f"{asset.base_timeframe} on {asset.venue}"
            return CLOSE_ONLY, f"stepped on its old settings until it is flat, then {told}"
    return PAPER, None


def _planning_fault(setup: Setup, asset: AssetConfig, at_ms: int) -> str | None:
    try:
        return listing_fault(setup.plan(asset).instrument, at_ms)
    except ConfigError as fault:
        return str(fault)
