"""The rules as a freqtrade strategy; freqtrade loads it by its file."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame

from benchmarks.peers.runners.contract import Rules

RULES = Rules()
FEE = RULES.fee_frac
# freqtrade's target is a profit net of both fees, over what was paid: reached where the price is up
# target_frac
NET_TARGET = (1.0 + RULES.target_frac) * (1.0 - FEE) / (1.0 + FEE) - 1.0


class EmaCross(IStrategy):
    """Signals on closed bars; freqtrade fills them at the next open."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -RULES.stop_frac
    minimal_roi = {"0": NET_TARGET}  # noqa: RUF012 (freqtrade's own form)
    use_exit_signal = True
    process_only_new_candles = True
    startup_candle_count = 0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Compute both averages."""
        dataframe["fast"] = ta.EMA(dataframe, timeperiod=RULES.fast_bars)
        dataframe["slow"] = ta.EMA(dataframe, timeperiod=RULES.slow_bars)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Enter after the cross up."""
        spread = dataframe["fast"] - dataframe["slow"]
        warm = dataframe.index >= RULES.first_signal_bar
        dataframe.loc[warm & (spread > 0.0) & (spread.shift(1) <= 0.0), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Leave after the cross down."""
        spread = dataframe["fast"] - dataframe["slow"]
        dataframe.loc[(spread < 0.0) & (spread.shift(1) >= 0.0), "exit_long"] = 1
        return dataframe
