"""Names as integer codes: inside the kernel a name is a number, outside it is a word again."""

# regimes; a card's scope is a bit mask of 1 << code
TREND_UP, TREND_DOWN, HIGH_VOL, CHOP = 0, 1, 2, 3
REGIMES = ("trend_up", "trend_down", "high_vol", "chop")
ALL_REGIMES = 15

# directions a card may take, as a bit mask
LONG_ONLY, SHORT_ONLY, BOTH_WAYS = 1, 2, 3
DIRECTIONS = {"long": LONG_ONLY, "short": SHORT_ONLY, "both": BOTH_WAYS}

# status of a card
ACTIVE, SHADOW = 1, 2

# how a condition compares its signal with its value
AT_LEAST, AT_MOST = 1, -1
CROSSES_ABOVE, CROSSES_BELOW = 2, -2

# why a position is left; 0 means it is not
NO_EXIT = 0
EXIT_STOP, EXIT_TARGET, EXIT_TRAILING, EXIT_LIQUIDATION = 1, 2, 3, 4
EXIT_OPPOSITE, EXIT_CONFIDENCE, EXIT_TIME, EXIT_HALT = 5, 6, 7, 8
EXIT_ADL, EXIT_SETTLEMENT, EXIT_MANUAL, EXIT_FLATTEN, EXIT_UNPROTECTED = 9, 10, 11, 12, 13  # live only
EXITS = (
    "none",
    "stop",
    "target",
    "trailing",
    "liquidation",
    "opposite_signal",
    "confidence_lost",
    "time",
    "halt",
    "adl",
    "settlement",
    "manual",
    "flatten",
    "unprotected",
)

# what a venue executed
EXECUTED_ENTRY, EXECUTED_EXIT, EXECUTED_FUNDING = 1, 2, 3

# what a decision does
HOLD, ENTER, LEAVE = 0, 1, 2
ACTIONS = ("hold", "enter", "leave")

# gates in the order they are evaluated and recorded
OWN_GATES = (
    "data_fresh",
    "data_complete",
    "warm",
    "listed",
    "enabled",
    "regime_allowed",
    "outside_neutral_zone",
    "confidence_min",
    "no_cooldown",
    "no_loss_cluster",
    "pf_floor",
    "drawdown_band",
    "one_position",
    "leverage_cap",
    "min_notional",
    "spread",
    "card_active",
)
ACCOUNT_GATES = (
    "not_halted",
    "daily_loss",
    "drawdown_halt",
    "max_positions",
    "bucket_cap",
    "exposure_cap",
    "correlation_cap",
)

# buckets of evidence that vote on direction
VOTES = ("momentum", "reversion", "flow", "positioning", "breakout")
