"""What the words on a page mean: for whoever has not met them before."""

from typing import Final

REGIME_WORDS: Final = {
    "trend_up": "trend up",
    "trend_down": "trend down",
    "high_vol": "high volatility",
    "chop": "chop",
}

TERMS: Final = {
    "PF": "Profit factor: what the winning trades made over what the losing ones lost, after all costs. "
    "Above 1 is a profit.",
    "95 % interval": "With this many trades, the true profit factor lies in here 19 times out of 20. "
    "If 1 is inside, the result may be luck. With fewer than 50 trades it is wider than shown.",
    "PF gross": "The profit factor before fees and funding; slippage is inside the prices.",
    "trades": "Closed trades.",
    "won": "The share of trades with a profit after all costs.",
    "R": "The result over what the trade would have lost at its first stop, costs included.",
    "net": "The result after fees, slippage and funding.",
    "fees": "What the venue charges for every fill.",
    "slippage": "The difference between the price seen and the price filled at.",
    "funding": "What long and short positions pay each other at set times; minus is paid.",
    "in market": "The share of bars with an open position.",
    "equity": "Start plus all profit and loss, open positions at their last close.",
    "drawdown": "How far equity stands below its highest point so far.",
    "max drawdown": "The deepest fall of equity from a peak; it is over when the peak is reached again.",
    "Sharpe": "Mean of daily returns over their standard deviation, times √365. "
    "Above 1 is good, above 2 rare.",
    "Sortino": "Like Sharpe, but only falls count as risk.",
    "Calmar": "Growth a year over the deepest drawdown.",
    "growth a year": "The yearly growth that leads from start to end (CAGR).",
    "SQN": "System quality number: √n times the mean result in R over its standard deviation.",
    "exposure": "The share of time with any position, and how much was held over equity on average.",
    "ambiguous": "One bar held stop and target both and does not say which came first; the stop counts.",
    "regime": "What the engine takes the market for: trend up, trend down, high volatility or chop.",
    "card": "A strategy: when to enter, when to leave, how much to risk.",
    "gate": "A condition that must hold before an entry. All are asked on every bar; one no is enough.",
    "before costs": "What the same trades had made without slippage, fees and funding.",
    "stop": "The price at which a position is left with a loss.",
}

GATE_WORDS: Final = {
    "data_fresh": "too late after the bar's close",
    "data_complete": "too many bars missing",
    "warm": "not enough history yet",
    "listed": "the contract does not trade",
    "enabled": "switched off in the registry",
    "regime_allowed": "not in this regime",
    "outside_neutral_zone": "no clear direction",
    "confidence_min": "not sure enough",
    "no_cooldown": "too soon after an exit",
    "no_loss_cluster": "pausing after losses in a row",
    "pf_floor": "the coin's profit factor is too low",
    "drawdown_band": "the coin lost too much",
    "one_position": "already in a position",
    "leverage_cap": "more leverage than allowed",
    "min_notional": "smaller than the venue allows",
    "spread": "bid and ask too far apart",
    "card_active": "no card may trade",
    "not_halted": "halted by a person",
    "daily_loss": "the account lost too much today",
    "drawdown_halt": "the account lost too much from its peak",
    "max_positions": "enough positions open",
    "bucket_cap": "enough held in coins of this kind",
    "exposure_cap": "enough held in all",
    "correlation_cap": "too much at risk should all coins move together",
}
