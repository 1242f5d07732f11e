"""Values for tests, sensible by default; every field can be overridden by name."""

from typing import Any

import numpy as np

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.kernel.codes import ACTIVE, ALL_REGIMES, AT_LEAST, BOTH_WAYS
from engine_alpha.kernel.indicators import indicators_of
from engine_alpha.kernel.money import NEW_TALLY, NO_OTHERS, new_account, new_sub_account
from engine_alpha.kernel.signals import SIGNALS, readable, signals_at
from engine_alpha.kernel.values import (
    Asset,
    Bar,
    Card,
    Condition,
    Facts,
    Features,
    Parameters,
    Purse,
    Risk,
    Rules,
    Tier,
)

HOUR_MS = 3_600_000


ETH = AssetConfig(
    symbol="ETHUSDT",
    base_timeframe="1h",
    enabled=True,
    venue="bybit",
    risk_bucket="core",
    quote_ccy="USDT",
    max_leverage=3.0,
    min_notional_usd=10.0,
)
"""An entry of the registry; `dataclasses.replace` makes others of it."""


def an_asset(**changes: Any) -> Asset:
    """BTC-like: tick 0.1, lot 0.001, 1 h bars, 1,000 quote of its own."""
    return Asset(
        place=0,
        bucket=0,
        timeframe_ms=HOUR_MS,
        start_quote=1_000.0,
        max_leverage=3.0,
        min_notional_quote=10.0,
        min_quantity_base=0.001,
        max_market_quantity_base=100.0,
        tick_quote=0.1,
        ticks_per_unit=10.0,
        lot_base=0.001,
        lots_per_unit=1000.0,
        taker_fee_frac=0.00055,
        tiers=(Tier(0.0, 0.005, 0.0),),
    )._replace(**changes)


def a_risk(**changes: Any) -> Risk:
    """Return limits that bind only where a test asks for it."""
    return Risk(
        risk_frac=0.01,
        slippage_bps=1.5,
        spread_bps=1.0,
        max_spread_bps=10.0,
        filled_limit_frac=0.02,
        cooldown_bars=1,
        cluster_losses=4,
        cluster_pause_bars=24,
        pf_min_trades=30,
        pf_floor=0.8,
        drawdown_limit_frac=0.5,
        drawdown_tighten=0.1,
        account_start_quote=10_000.0,
        max_positions=6,
        daily_loss_frac=0.03,
        drawdown_halt_frac=0.2,
        bucket_cap_frac=1.0,
        exposure_cap_frac=2.0,
        heat_cap_frac=0.06,
        correlation=0.7,
    )._replace(**changes)


def parameters(**changes: Any) -> Parameters:
    """Return thresholds under which a clear trend is traded."""
    return Parameters(
        trend_on=0.4,
        trend_off=0.2,
        volatile_on=0.95,
        volatile_off=0.85,
        regimes_allowed=ALL_REGIMES,
        neutral_zone=0.05,
        confidence_min=0.1,
        weights=(
            (1.0, 0.0, 0.5, 0.25, 1.0),
            (1.0, 0.0, 0.5, 0.25, 1.0),
            (0.5, 0.25, 0.5, 0.25, 1.0),
            (0.25, 1.0, 0.5, 0.25, 0.5),
        ),
        calibration=(),
    )._replace(**changes)


def a_card(**changes: Any) -> Card:
    """Return an active card for every regime and direction, without conditions, stop 3 ATR."""
    return Card(
        status=ACTIVE,
        regimes=ALL_REGIMES,
        directions=BOTH_WAYS,
        own_direction=0,
        priority=0,
        entry_first=0,
        entry_end=0,
        exit_first=0,
        exit_end=0,
        stop_atr=3.0,
        stop_range=0.0,
        stop_frac=0.0,
        target_atr=0.0,
        target_range=0.0,
        target_frac=0.0,
        trail_atr=0.0,
        trail_range=0.0,
        trail_frac=0.0,
        max_hold_bars=0,
        min_confidence=-2.0,
        size_factor=1.0,
        max_notional_quote=0.0,
        trades_per_day=0,
        min_trades=0,
        min_pf=0.0,
        max_drawdown_frac=0.0,
    )._replace(**changes)


def a_condition(signal: int, value: float, compare: int = AT_LEAST, directional: int = 1) -> Condition:
    """Return one condition."""
    return Condition(signal, directional, compare, value)


def rules(
    cards: tuple[Card, ...] = (),
    conditions: tuple[Condition, ...] = (),
    asset: Asset | None = None,
    risk: Risk | None = None,
    thresholds: Parameters | None = None,
) -> Rules:
    """Return the rules of one asset, by default with the one card of `a_card`."""
    return Rules(
        asset or an_asset(),
        risk or a_risk(),
        thresholds or parameters(),
        cards or (a_card(),),
        conditions,
    )


def a_bar(index: int = 1_000, **changes: Any) -> Bar:
    """Return a quiet bar at 100."""
    bar = Bar(
        number=index,
        open_ms=index * HOUR_MS,
        close_ms=(index + 1) * HOUR_MS,
        open=100.0,
        high=101.0,
        low=99.0,
        close=100.0,
        volume=10.0,
        mark_high=0.0,
        mark_low=0.0,
        funding_open_frac=0.0,
        funding_inside_frac=0.0,
        funding_unknown=0,
        minutes=(),
    )._replace(**changes)
    return bar._replace(
        mark_high=changes.get("mark_high", bar.high), mark_low=changes.get("mark_low", bar.low)
    )


def facts(**changes: Any) -> Facts:
    """Return facts that let every gate pass."""
    return Facts(
        late=0,
        window_bars=960,
        filled_frac=0.0,
        recent_gap_bars=0,
        listed=1,
        enabled=1,
        flatten=0,
        halted=0,
        spread_bps=1.0,
    )._replace(**changes)


def features(row: dict[int, float] | None = None, **changes: Any) -> Features:
    """Return features with the named signals set and all others unknown."""
    values = [float("nan")] * len(SIGNALS)
    unknown = tuple(values)
    for code, value in (row or {}).items():
        values[code] = value
    return Features(
        row=tuple(values), before=unknown, trend=[0.0] * 97, volatility=[0.5] * 97, at=96, facts=facts()
    )._replace(**changes)


def a_purse(start_quote: float = 1_000.0, cards: int = 1, **changes: Any) -> Purse:
    """Return an untouched purse."""
    return Purse(
        new_sub_account(start_quote), new_account(10_000.0), NO_OTHERS, (NEW_TALLY,) * cards
    )._replace(**changes)


def random_bars(count: int = 1_000, seed: int = 1, first_index: int = 400_000, price: float = 100.0) -> Bars:
    """Return a seeded random walk with trends, fat tails and gaps, every bar possible."""
    random = np.random.default_rng(seed)
    drift = np.repeat(random.normal(0, 0.0015, count // 100 + 1), 100)[:count]
    steps = drift + 0.008 * random.standard_t(4, count)
    close = price * np.cumprod(1 + np.clip(steps, -0.3, 0.3))
    gap = 1 + random.normal(0, 0.0005, count)
    open_ = np.concatenate([[price], close[:-1]]) * gap
    high = np.maximum(open_, close) * (1 + np.abs(random.normal(0, 0.003, count)))
    low = np.minimum(open_, close) * (1 - np.abs(random.normal(0, 0.003, count)))
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=(first_index + np.arange(count, dtype=np.int64)) * HOUR_MS,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=random.gamma(2.0, 50.0, count),
    )


def signal_table(bars: Bars, funding: Funding) -> np.ndarray:
    """Return the signals of every bar of a window, one row each."""
    if len(bars) < 2:
        return np.full((len(bars), len(SIGNALS)), np.nan)
    known = readable(indicators_of(bars, funding))
    return np.array([signals_at(known, t) for t in range(len(bars))])
