"""The kernel's nouns: NamedTuples that plain Python and Numba read alike.

Every field has one type, int or float, and keeps it. Missing floats are NaN, absent things have side 0 or
code 0. Money is in quote currency, quantity in base units, prices on the tick grid.
"""

from typing import Any, NamedTuple


class Bar(NamedTuple):
    """One closed bar and the funding that fell due in it.

    `number` is the absolute bar number `open_ms // timeframe_ms`. Marks equal high and low where there is no
    mark series. Funding rates are sums of settlements at the open instant and strictly inside the bar.
    `minutes` are rows (open, high, low, close) that make up the bar where a finer series tells what came
    first inside it; none otherwise.
    """

    number: int
    open_ms: int
    close_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    mark_high: float
    mark_low: float
    funding_open_frac: float
    funding_inside_frac: float
    funding_unknown: int
    minutes: Any


class Facts(NamedTuple):
    """What the step knows about this bar beyond its prices."""

    late: int  # whole entry delays since the close; 0 is in time
    window_bars: int  # bars the window holds, filled ones included
    filled_frac: float  # share of the window that had to be filled flat
    recent_gap_bars: int  # longest filled run among the last 10
    listed: int  # 1 if the contract trades at this bar's close
    enabled: int  # 1 if entries are allowed by the registry
    flatten: int  # 1 if the position must be left at the next open
    halted: int  # 1 if a person has halted entries
    spread_bps: float  # the feed's, else the default of risk.json; NaN unknown


class Tier(NamedTuple):
    """Maintenance margin from `floor_quote` of notional up: notional * rate_frac - deduction_quote."""

    floor_quote: float
    rate_frac: float
    deduction_quote: float


class Asset(NamedTuple):
    """What does not change from bar to bar for an asset: registry entry, instrument, share of the account."""

    place: int  # in the registry
    bucket: int  # code of the risk bucket
    timeframe_ms: int
    start_quote: float  # configured equity of the sub-account
    max_leverage: float
    min_notional_quote: float  # the larger of registry and instrument
    min_quantity_base: float
    max_market_quantity_base: float
    tick_quote: float
    ticks_per_unit: float  # 1 / tick where that is whole, else 0.0
    lot_base: float
    lots_per_unit: float  # 1 / lot where that is whole, else 0.0
    taker_fee_frac: float
    tiers: Any  # Tier records, rising floors


class Risk(NamedTuple):
    """Limits of risk.json as they apply to one asset."""

    risk_frac: float  # of the sub-account's equity, lost at the stop, costs included
    slippage_bps: float  # per side, besides half the spread
    spread_bps: float  # assumed spread, both for costs and where the feed has none
    max_spread_bps: float
    filled_limit_frac: float
    cooldown_bars: int  # bars to wait after any exit
    cluster_losses: int  # so many losses in a row ...
    cluster_pause_bars: int  # ... stop entries for so many bars after the last
    pf_min_trades: int  # the floor applies from so many closed trades on
    pf_floor: float
    drawdown_limit_frac: float  # of the sub-account: no entry at or beyond
    drawdown_tighten: float  # confidence_min rises by this much on the way to the limit
    account_start_quote: float
    max_positions: int
    daily_loss_frac: float
    drawdown_halt_frac: float
    bucket_cap_frac: float  # notional in this asset's bucket over account equity
    exposure_cap_frac: float  # notional in all over account equity
    heat_cap_frac: float  # correlated risk at the stops over account equity
    correlation: float  # assumed between any two coins in stress


class Parameters(NamedTuple):
    """Thresholds and weights that research may adopt, one versioned set per asset."""

    trend_on: float  # |trend score| at which a trend begins ...
    trend_off: float  # ... and at or below which it ends
    volatile_on: float  # volatility rank at which high_vol begins ...
    volatile_off: float  # ... and at or below which it ends
    regimes_allowed: int  # bit mask
    neutral_zone: float  # |score| within is no direction worth acting on
    confidence_min: float
    weights: Any  # 4 regimes x 5 votes, rows in the order of codes.REGIMES
    calibration: Any  # rows (|score|, confidence), |score| strictly rising; none: confidence is |score|


class Condition(NamedTuple):
    """`signal` compared with `value`; a directional signal is first multiplied by the trade's direction.

    A crossing looks at the bar before, too.
    """

    signal: int
    directional: int
    compare: int  # AT_LEAST, AT_MOST, CROSSES_ABOVE or CROSSES_BELOW
    value: float


class Card(NamedTuple):
    """One strategy card that applies to this asset; conditions stand in one list for all cards."""

    status: int
    regimes: int  # bit mask
    directions: int  # bit mask
    own_direction: int  # 1: its entry conditions choose the direction, 0: the engine does
    priority: int  # higher is asked first; cards come sorted
    entry_first: int  # conditions[entry_first:entry_end] must all hold
    entry_end: int
    exit_first: int  # conditions[exit_first:exit_end], all hold: leave
    exit_end: int
    stop_atr: float  # in ATR(14); 0.0 none
    stop_range: float  # in mean true range of 336 bars; 0.0 none
    stop_frac: float  # of the fill price; 0.0 none
    target_atr: float
    target_range: float
    target_frac: float
    trail_atr: float
    trail_range: float
    trail_frac: float
    max_hold_bars: int  # 0 none
    min_confidence: float  # leave when direction * score falls below; -2.0 never
    size_factor: float
    max_notional_quote: float  # 0.0 none
    trades_per_day: int  # 0 unlimited
    min_trades: int  # activation applies from so many closed trades on
    min_pf: float
    max_drawdown_frac: float  # of the sub-account's start, lost by this card from its peak; 0.0 none


class Tally(NamedTuple):
    """What one card has done for one asset."""

    trades: int
    gross_profit_quote: float
    gross_loss_quote: float
    net_quote: float
    peak_quote: float  # highest net_quote so far
    day: int  # UTC day of the last entry
    entries_today: int


class Position(NamedTuple):
    """An open position; side 0 is flat. Stops are prices; 0.0 means there is none of that kind."""

    side: int
    card: int
    quantity_base: float
    entry_price: float
    entry_ms: int
    entry_index: int
    stop_price: float  # where it stands now, trailing included
    first_stop_price: float  # where it stood at the fill
    target_price: float
    trail_quote: float
    liquidation_price: float
    max_hold_bars: int
    risk_quote: float  # lost at the first stop, costs included: 1 R
    fee_quote: float  # paid at entry
    slippage_quote: float
    funding_quote: float  # received minus paid so far
    regime: int
    confidence: float
    exit_due: int  # reason to leave at the next open; 0 none


class Pending(NamedTuple):
    """An entry decided on a closed bar, to be filled at the next open; side 0 is none."""

    side: int
    card: int
    quantity_base: float
    decided_price: float
    decided_index: int
    stop_quote: float  # distance; where 0.0 the fraction counts
    stop_frac: float
    target_quote: float
    target_frac: float
    trail_quote: float
    trail_frac: float
    max_hold_bars: int
    risk_quote: float  # at the decided price
    regime: int
    confidence: float


class Fill(NamedTuple):
    """One execution; side is the order's (+1 buys), 0 none. `raw_price` is before slippage and grid."""

    side: int
    quantity_base: float
    price: float
    raw_price: float
    fee_quote: float
    slippage_quote: float
    at_ms: int
    reason: int  # exit code; 0 for an entry


class Executed(NamedTuple):
    """One thing a venue did to a position; `leg` is of codes.EXECUTED_*, funding has side 0.

    `raw_price` is what was expected before slippage: the open for a market order, the trigger for a stop.
    """

    leg: int
    side: int  # the order's: +1 buys
    quantity_base: float
    price: float
    raw_price: float
    fee_quote: float
    received_quote: float  # funding only
    at_ms: int
    reason: int  # exit code; 0 for entries and funding


class Trade(NamedTuple):
    """A closed trade; side 0 is none. Net = gross - fees + funding; slippage is inside gross."""

    side: int
    card: int
    quantity_base: float
    entry_ms: int
    entry_price: float
    exit_ms: int
    exit_price: float
    exit_reason: int
    stop_price: float
    gross_quote: float
    fees_quote: float
    funding_quote: float
    slippage_quote: float
    net_quote: float
    risk_quote: float
    r: float
    regime: int
    confidence: float
    bars_held: int
    ambiguous: int  # 1 if stop and target were both inside the exit bar
    other_net_quote: float  # net if the ambiguous bar had gone the other way


class SubAccount(NamedTuple):
    """One asset's own money: equity = start + realised + unrealised - fees + funding."""

    start_quote: float
    realised_quote: float
    fees_quote: float
    funding_quote: float
    peak_quote: float
    mark_price: float
    last_index: int  # last advanced bar; -1 none
    trades: int
    gross_profit_quote: float
    gross_loss_quote: float
    losses_in_row: int
    last_exit_index: int
    funding_unknown_bars: int
    position: Position
    pending: Pending


class Account(NamedTuple):
    """What belongs to no single asset: latches and marks of the whole account."""

    peak_quote: float
    day: int  # UTC day of day_start_quote
    day_start_quote: float
    drawdown_halted: int  # latched until a person lifts it


class Others(NamedTuple):
    """Sums over all other assets at their last advanced close."""

    net_quote: float  # profit and loss, open and closed
    notional_quote: float
    bucket_notional_quote: float  # in the deciding asset's bucket
    positions: int
    risk_quote: float  # signed, at the stops
    risk_squared: float


class Held(NamedTuple):
    """What one asset brings into the sums over the others: its position, else its pending entry."""

    net_quote: float  # profit and loss, open and closed
    notional_quote: float
    positions: int
    risk_quote: float  # signed, at the stop


class Purse(NamedTuple):
    """What one asset may decide with: its own money, the account's marks, and what the others hold."""

    sub: SubAccount
    account: Account
    others: Others
    tallies: Any  # Tally per card of the playbook


class Features(NamedTuple):
    """What is known as of one bar: `row[signal]`, the row `before` it in the same window (NaN in the first),
    the tails that hysteresis needs (newest at `at`), facts.
    """

    row: Any
    before: Any
    trend: Any
    volatility: Any
    at: int
    facts: Facts


class Rules(NamedTuple):
    """All that configuration says about one asset: cards sorted by priority, conditions in one list."""

    asset: Asset
    risk: Risk
    parameters: Parameters
    cards: Any
    conditions: Any


class Votes(NamedTuple):
    """One vote per bucket in -1..1; NaN is absent."""

    momentum: float
    reversion: float
    flow: float
    positioning: float
    breakout: float


class View(NamedTuple):
    """The engine's one opinion of the bar."""

    regime: int
    direction: int
    score: float
    confidence: float
    coverage: float
    votes: Votes


class ExitView(NamedTuple):
    """Exits considered for an open position: each with what it saw; reason 0 is stay."""

    reason: int
    opposite: int
    score: float
    held_bars: int
    stop_price: float


class Size(NamedTuple):
    """How the quantity came about; zero where no card fired or nothing was left after the limits."""

    quantity_base: float
    notional_quote: float
    risk_quote: float
    stop_distance_quote: float
    unclipped_base: float


class Verdict(NamedTuple):
    """One gate's answer; the gate is its place in the tuple."""

    passed: int
    seen: float
    limit: float


class Decision(NamedTuple):
    """Everything one bar's decision saw and said, short of the signals themselves."""

    opinion: View
    exit: ExitView
    card: int  # index in the playbook; -1 none fired
    size: Size
    gates: Any  # Verdict per codes.OWN_GATES
    allocation: Any  # Verdict per codes.ACCOUNT_GATES
    action: int
    pending: Pending


class Settlement(NamedTuple):
    """What the new bar did to the position and the pending entry."""

    funding_quote: float
    funding_unknown: int
    entry: Fill
    exit: Fill
    trade: Trade


class Record(NamedTuple):
    """One asset-bar: what was settled, then what was decided."""

    open_ms: int
    close_ms: int
    settlement: Settlement
    decision: Decision
    equity_quote: float


class Indicators(NamedTuple):
    """Columns of one window; prices over `unit`, volumes over their own power of two. NaN until defined.

    `top_N` and `bottom_N` are the highest high and lowest low of N bars. `heard` is the place of the last
    settlement known at each bar's close, -1 before the first; the three funding columns stand by settlement.
    """

    unit: float
    close: Any
    atr_14: Any
    ema_12: Any
    ema_20: Any
    ema_26: Any
    ema_40: Any
    macd_histogram: Any
    cmo_14: Any
    adx_14: Any
    plus_di_14: Any
    minus_di_14: Any
    mean_20: Any
    deviation_20: Any
    top_24: Any
    bottom_24: Any
    top_48: Any
    bottom_48: Any
    top_120: Any
    bottom_120: Any
    top_240: Any
    bottom_240: Any
    top_480: Any
    bottom_480: Any
    path_48: Any
    path_240: Any
    range_24: Any
    range_336: Any
    range_rank_384: Any
    volume: Any
    volume_48: Any
    volume_120: Any
    traded_120: Any  # sum of volume * (high + low + close)
    volume_mean_120: Any
    volume_deviation_120: Any
    located_48: Any  # sum of volume * place of the close in its bar
    close_ms: Any
    heard: Any
    funding_short: Any
    funding_long: Any
    fresh_until_ms: Any
