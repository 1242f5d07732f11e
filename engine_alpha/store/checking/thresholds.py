"""Every limit of `chloe data check`, with what it separates.

Measured on 28 series of real candles (1 h and 1 m; Binance perpetual and spot, Bybit; 2017 to 2024;
1.4 million bars) in stretches of 500 bars, 2,221 of them ("real" below), and on real bad files of each kind.
"""

from typing import Final

# Stretches. Statistics of fewer than 200 bars say nothing.
STRETCH_BARS: Final = 500
LEAST_BARS: Final = 200

# Holes. The longest real outage is 33 h (Binance spot, February 2018); a lost page of 500 hours is 20 days.
LONGEST_HOLE_MS: Final = 7 * 86_400_000
MOST_MISSING_FRAC: Final = 0.02  # what the engine's own windows allow

# Bars that stand still: 12 without trades are what the engine refuses as frozen. With trades, no real series
# has the same values three times in a row.
SAME_ROWS: Final = 3
COPIED_ROWS: Final = 6

# A wick this far beyond both neighbours that came back. Real ones exist (an ETH perpetual at 323 from 96).
WICK_FRAC: Final = 0.2

# Candles stored while forming: little volume, a small range, and a close that the next open does not join.
# Where real joints are off like that, at most a fifth of the bars are small besides, or fewer than five; of
# candles cut after a minute nearly all are.
JOINT_OF_RANGE: Final = 0.25
JOINT_FRAC: Final = 0.0005
CUT_VOLUME: Final = 0.5
CUT_RANGE: Final = 0.6
CUT_BARS: Final = 5
CUT_OF_JOINTS: Final = 0.5
NEWEST_VOLUME: Final = 0.1
NEWEST_RANGE: Final = 0.3

# A test network: three of four signs. Wick over range, median: real at most 0.668, testnet from 0.708. Range
# over move, medians: real at most 3.23, testnet from 4.1. Opens off the last close: testnet from 26 % of
# bars, but young spot markets, too. Volume with range, rank correlation: real above 0.40 for 999 of 1,000,
# testnet up to 0.43.
TESTNET_SIGNS: Final = 3
TESTNET_WICK: Final = 0.68
TESTNET_RANGE_OVER_MOVE: Final = 3.6
TESTNET_JOINT_FRAC: Final = 0.001
TESTNET_JOINTS: Final = 0.1
TESTNET_VOLUME_WITH_RANGE: Final = 0.45

# Made-up walks: three of five signs in a whole series, four in a stretch (of 2,221 real ones one has three: a
# weekend of one-minute bars). Kurtosis of returns: a Gaussian's is 3, real above 3.46 for 99 of 100.
# Rank correlations of volume with range, of range and of volume with the one before: about zero for a walk,
# real above 0.40, 0.04 and 0.07 for 999 of 1,000. Prices finer than 1e-8: no venue has them.
WALK_SIGNS: Final = 3
WALK_SIGNS_OF_STRETCH: Final = 4
WALK_KURTOSIS: Final = 3.6
WALK_VOLUME_WITH_RANGE: Final = 0.15
WALK_RANGE_MEMORY: Final = 0.1
WALK_VOLUME_MEMORY: Final = 0.1
FINEST_PRICE: Final = 1e-8
OFF_FINEST_FRAC: Final = 0.5

# Another market's prices. After the snapshot's date a contract's own bars are on its tick, spot is off it in
# 95 % of bars and more. Of bars before it nothing is said: within four years eight of twelve ticks changed.
OFF_TICK_FRAC: Final = 0.5
TICK_BARS: Final = 100

# Two accounts of one market: real downloads differ in 16 of 1.5 million rows; hours added up from minutes
# differ in one volume of a thousand, by 1e-4.
SAME_PRICE_FRAC: Final = 1e-9
SAME_VOLUME_FRAC: Final = 1e-3
DIFFERING_FRAC: Final = 0.001
# Two venues, or perpetual and spot: closes are 50 bps apart in at most 0.3 % of real hours, and equal in at
# most 21 %.
APART_FRAC: Final = 0.005
APART_BARS_FRAC: Final = 0.02
EQUAL_CLOSES_FRAC: Final = 0.9
MOVED_HOURS: Final = 14

# Funding. Venues stamp some milliseconds late. Half of all real rates are below 0.0001, none is above 0.01;
# in percent they are a hundred times that.
STAMP_MS: Final = 60_000
PERCENT_RATE: Final = 0.002
LARGEST_RATE: Final = 0.05
