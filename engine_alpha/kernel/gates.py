"""Every reason not to enter, all evaluated and all recorded. What can't be known does not pass.

The asset's own gates read its sub-account alone; the account's gates couple the coins and come last.
"""

import math
from typing import NamedTuple

from engine_alpha.domain.lookback import MIN_BARS
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.money import DAY_MS, equity_quote, net_quote
from engine_alpha.kernel.sizing import drawdown_frac, resized
from engine_alpha.kernel.values import (
    Account,
    Bar,
    Facts,
    Others,
    Parameters,
    Purse,
    Risk,
    Rules,
    Size,
    SubAccount,
    Verdict,
    View,
)

UNKNOWN = float("nan")
UNLIMITED = float("inf")

OwnGates = tuple[
    Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict,
    Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict,
]  # fmt: skip
AccountGates = tuple[Verdict, Verdict, Verdict, Verdict, Verdict, Verdict, Verdict]


class Try(NamedTuple):
    """The entry under judgement: which card (-1 none), which way and how much."""

    card: int
    side: int
    size: Size


def at_most(seen: float, limit: float) -> Verdict:
    """Pass if seen <= limit; NaN does not pass."""
    return Verdict(1 if seen <= limit else 0, seen, limit)


def below(seen: float, limit: float) -> Verdict:
    """Pass if seen < limit; NaN does not pass."""
    return Verdict(1 if seen < limit else 0, seen, limit)


def at_least(seen: float, limit: float) -> Verdict:
    """Pass if seen >= limit; NaN does not pass."""
    return Verdict(1 if seen >= limit else 0, seen, limit)


def own_gates(rules: Rules, sub: SubAccount, bar: Bar, facts: Facts, view: View, wanted: Try) -> OwnGates:
    """Return the verdicts in the order of codes.OWN_GATES."""
    risk, parameters = rules.risk, rules.parameters
    drawdown = drawdown_frac(sub)
    return (
        at_most(float(facts.late), 0.0),
        data_complete(facts, risk),
        at_least(float(facts.window_bars), float(MIN_BARS)),
        at_least(float(facts.listed), 1.0),
        at_least(float(facts.enabled), 1.0),
        regime_allowed(view.regime, parameters),
        at_least(abs(view.score), parameters.neutral_zone),
        at_least(view.confidence, confidence_limit(drawdown, risk, parameters)),
        no_cooldown(sub, bar, risk),
        no_loss_cluster(sub, bar, risk),
        pf_floor(sub, risk),
        below(drawdown, risk.drawdown_limit_frac),
        at_most(float(abs(sub.position.side) + abs(sub.pending.side)), 0.0),
        leverage_cap(wanted, sub, rules, bar.close),
        min_notional(wanted, rules),
        at_most(facts.spread_bps, risk.max_spread_bps),
        at_least(float(wanted.card), 0.0),
    )


def data_complete(facts: Facts, risk: Risk) -> Verdict:
    """Fail above the share of filled bars, and on two filled in a row among the last 10 (seen as 1.0)."""
    seen = 1.0 if facts.recent_gap_bars >= 2 else facts.filled_frac
    return at_most(seen, risk.filled_limit_frac)


def regime_allowed(regime: int, parameters: Parameters) -> Verdict:
    """Pass if the regime's bit is set; seen is the regime's bit, the limit the mask."""
    bit = 1 << regime
    return Verdict(
        1 if parameters.regimes_allowed & bit != 0 else 0, float(bit), float(parameters.regimes_allowed)
    )


def confidence_limit(drawdown: float, risk: Risk, parameters: Parameters) -> float:
    """Return the confidence asked for: it rises with drawdown, never falls."""
    if not risk.drawdown_limit_frac > 0.0:
        return UNLIMITED
    share = min(1.0, drawdown / risk.drawdown_limit_frac)
    return parameters.confidence_min + risk.drawdown_tighten * share


def no_cooldown(sub: SubAccount, bar: Bar, risk: Risk) -> Verdict:
    """Ask for `cooldown_bars` since the last exit."""
    if sub.last_exit_index < 0:
        return Verdict(1, UNKNOWN, float(risk.cooldown_bars))
    return at_least(float(bar.number - sub.last_exit_index), float(risk.cooldown_bars))


def no_loss_cluster(sub: SubAccount, bar: Bar, risk: Risk) -> Verdict:
    """After `cluster_losses` in a row wait `cluster_pause_bars` from the last exit; seen is the losses."""
    resting = bar.number - sub.last_exit_index < risk.cluster_pause_bars
    blocked = risk.cluster_losses > 0 and sub.losses_in_row >= risk.cluster_losses and resting
    return Verdict(0 if blocked else 1, float(sub.losses_in_row), float(risk.cluster_losses))


def pf_floor(sub: SubAccount, risk: Risk) -> Verdict:
    """From `pf_min_trades` closed trades on, ask for a profit factor; before, it is unknown and passes."""
    if sub.trades < risk.pf_min_trades or sub.trades == 0:
        return Verdict(1, UNKNOWN, risk.pf_floor)
    if sub.gross_loss_quote <= 0.0:
        return Verdict(1, UNLIMITED, risk.pf_floor)
    return at_least(sub.gross_profit_quote / sub.gross_loss_quote, risk.pf_floor)


def leverage_cap(wanted: Try, sub: SubAccount, rules: Rules, price: float) -> Verdict:
    """Compare the entry's notional over equity with the asset's leverage; no equity, no entry.

    Where isolated margin at that leverage would be liquidated before the stop, seen is the leverage and the
    limit the one that the stop's distance allows: it fails.
    """
    side, size = wanted.side, wanted.size
    cap = rules.asset.max_leverage
    equity = equity_quote(sub)
    if not equity > 0.0:
        return Verdict(0, UNKNOWN, cap)
    if size.quantity_base > 0.0:
        tier = tier_of(rules.asset, size.notional_quote)
        liquidation = liquidation_price(side, size.quantity_base, price, size.notional_quote / cap, tier)
        stop = price - side * size.stop_distance_quote
        if liquidation > 0.0 and side * (stop - liquidation) <= 0.0:
            return Verdict(0, cap, price / size.stop_distance_quote)
    return at_most(size.notional_quote / equity, cap)


def min_notional(wanted: Try, rules: Rules) -> Verdict:
    """Ask for the smallest notional; where no card fired there is nothing to measure, and nothing passes."""
    seen = wanted.size.notional_quote if wanted.card >= 0 else UNKNOWN
    return at_least(seen, rules.asset.min_notional_quote)


def account_gates(
    rules: Rules, purse: Purse, facts: Facts, wanted: Try, price: float
) -> tuple[AccountGates, Size]:
    """Return the verdicts in the order of codes.ACCOUNT_GATES and the size cut to the account's room."""
    risk, others, account = rules.risk, purse.others, purse.account
    equity = account_equity(purse, risk)
    if not equity > 0.0:
        equity = UNKNOWN
    size = wanted.size
    bucket_room = risk.bucket_cap_frac * equity - others.bucket_notional_quote
    whole_room = risk.exposure_cap_frac * equity - others.notional_quote
    room = min(bucket_room, whole_room)
    if wanted.card >= 0 and room == room:
        size = resized(rules.asset, size, room, price)
    no_bucket = squeezed(rules, wanted.size, size, bucket_room, price)
    no_room = squeezed(rules, wanted.size, size, whole_room, price)
    drawdown = (account.peak_quote - equity) / account.peak_quote if account.peak_quote > 0.0 else UNKNOWN
    loss = (
        (account.day_start_quote - equity) / account.day_start_quote
        if account.day_start_quote > 0.0
        else UNKNOWN
    )
    halt = below(drawdown, risk.drawdown_halt_frac)
    verdicts = (
        at_most(float(facts.halted), 0.0),
        below(loss, risk.daily_loss_frac),
        Verdict(0 if account.drawdown_halted == 1 else halt.passed, halt.seen, halt.limit),
        at_most(float(others.positions + 1), float(risk.max_positions)),
        _capped(others.bucket_notional_quote, size, equity, risk.bucket_cap_frac, no_bucket),
        _capped(others.notional_quote, size, equity, risk.exposure_cap_frac, no_room),
        correlation_cap(others, size, purse, equity, risk),
    )
    return verdicts, size


def squeezed(rules: Rules, wanted: Size, left: Size, room: float, price: float) -> int:
    """Return 1 if a tradable entry was cut below the minimum, and this cap's own room is too small for it."""
    least = rules.asset.min_notional_quote
    if not wanted.notional_quote >= least or left.notional_quote >= least:
        return 0
    return 0 if resized(rules.asset, wanted, room, price).notional_quote >= least else 1


def _capped(held: float, size: Size, equity: float, cap: float, dropped: int) -> Verdict:
    """Compare notional held plus wanted with a cap; `dropped` means the room left is below the minimum."""
    seen = (held + size.notional_quote) / equity
    verdict = at_most(seen, cap)
    if dropped == 1:
        return Verdict(0, seen, cap)
    return verdict


def correlation_cap(others: Others, size: Size, purse: Purse, equity: float, risk: Risk) -> Verdict:
    """Compare correlated risk at the stops with its cap: H = sqrt((1 - rho) sum w^2 + rho (sum w)^2).

    The new entry counts as adding to the heavier side: a hedge earns no room.
    """
    own = purse.sub.position.side * purse.sub.position.risk_quote
    added = size.risk_quote
    total = abs(others.risk_quote + own) + added
    squares = others.risk_squared + own * own + added * added
    inside = (1.0 - risk.correlation) * squares + risk.correlation * total * total
    if not inside >= 0.0:
        return Verdict(0, UNKNOWN, risk.heat_cap_frac)
    return at_most(math.sqrt(inside) / equity, risk.heat_cap_frac)


def account_equity(purse: Purse, risk: Risk) -> float:
    """Return the whole account's equity, every asset marked at its last advanced close."""
    return risk.account_start_quote + purse.others.net_quote + net_quote(purse.sub)


def account_marked(purse: Purse, risk: Risk, close_ms: int) -> Account:
    """Return the account's marks after this asset's bar: new day, peak, and the drawdown latch."""
    account = purse.account
    equity = account_equity(purse, risk)
    day = close_ms // DAY_MS
    day_start = equity if day > account.day else account.day_start_quote
    peak = max(account.peak_quote, equity)
    hit = peak > 0.0 and not (peak - equity) / peak < risk.drawdown_halt_frac
    return Account(peak, max(day, account.day), day_start, 1 if hit else account.drawdown_halted)
