"""What a check can find: stable codes, and what to do about each."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import (
    DUPLICATED,
    FORMING_BAR,
    FROZEN,
    IMPOSSIBLE_BAR,
    NOT_A_NUMBER,
    NOT_POSITIVE,
    OFF_GRID,
    OUT_OF_ORDER,
)

GAPS: Final = "gaps"
COPIED: Final = "copied_stretch"
NEWEST_FIRST: Final = "newest_first"
WRONG_TIMEFRAME: Final = "wrong_timeframe"
LOCAL_TIMES: Final = "local_times"
OFFSET_TIMES: Final = "local_times_with_offset"
ZONELESS_TIMES: Final = "times_without_offset"
NAN_VOLUME: Final = "nan_volume"
NO_VOLUME: Final = "no_volume"
BAD_TICK: Final = "bad_tick"
NEVER_CORRECTED: Final = "forming_never_corrected"
NEWEST_UNFINISHED: Final = "newest_unfinished"
WRITTEN_EARLY: Final = "written_before_close"
TESTNET: Final = "testnet"
SYNTHETIC: Final = "synthetic"
WRONG_MARKET: Final = "wrong_market"
VENDORS: Final = "vendors_disagree"
TIMEFRAMES: Final = "timeframes_disagree"
NO_OVERLAP: Final = "no_overlap"
FUNDING_JITTER: Final = "funding_jitter"
FUNDING_PERCENT: Final = "funding_in_percent"
FUNDING_ABSURD: Final = "funding_absurd"

REMEDIES: Final = {
    GAPS: "import or download the missing bars; until then no entry is made near a hole",
    DUPLICATED: "take the doubled rows out, or import the file again from its source",
    COPIED: "these bars were copied from others: import that stretch from its source",
    OUT_OF_ORDER: "sort the file by time, or import it again from its source",
    NEWEST_FIRST: "nothing: the importer turns it round",
    OFF_GRID: "times must be the bars' opening times in UTC: name the right column, unit or timezone",
    WRONG_TIMEFRAME: "name the timeframe that the file has",
    LOCAL_TIMES: "write the times in UTC or with their offsets, and import again",
    ZONELESS_TIMES: "say at import what they are: --timezone UTC, or the clock's offset",
    OFFSET_TIMES: "nothing if Chloe imports it: offsets are converted exactly; never cut them off",
    NOT_A_NUMBER: "get the file again from its source",
    NOT_POSITIVE: "get the file again from its source",
    IMPOSSIBLE_BAR: "get the file again from its source, or name its columns (--columns)",
    NAN_VOLUME: "without volumes these are mark or index prices: store them with --kind mark or not at all",
    NO_VOLUME: "without volumes these are mark or index prices: store them with --kind mark or not at all",
    FROZEN: "the vendor repeated its last bar: import that stretch from the venue",
    BAD_TICK: "nothing if it did trade there (compare another vendor: --against)",
    NEVER_CORRECTED: "download that stretch again: the candles were captured before they closed",
    NEWEST_UNFINISHED: "compare it with the venue before you rely on it",
    WRITTEN_EARLY: "drop the newest bar: the file is older than its close",
    FORMING_BAR: "drop the newest bar: it has not closed",
    TESTNET: "these are no prices of the real venue: import from its main network",
    SYNTHETIC: "nobody traded at these prices: don't judge a strategy by them",
    WRONG_MARKET: "import it as what it is (--market spot), or get the contract's own prices; "
    "if the venue has changed its ticks: chloe instruments refresh",
    VENDORS: "ask the venue which one is right: chloe data download",
    TIMEFRAMES: "keep the finer series and let Chloe resample, or download both again",
    NO_OVERLAP: "name a series of the same time to compare with",
    FUNDING_JITTER: "nothing: settlements are put on their minute",
    FUNDING_PERCENT: "rates must be fractions: divide by 100",
    FUNDING_ABSURD: "look it up at the venue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; `grave` ones should stop you.

    `count` is in bars or settlements, as `saw` says; `first_ms` is None where there is no one place.
    """

    code: str
    grave: bool
    count: int
    first_ms: int | None
    saw: str

    @property
    def remedy(self) -> str:
        """Say what to do."""
        return REMEDIES.get(self.code, "get the file again from its source")


def found(
    code: str, at: NDArray[np.bool_], times_ms: NDArray[np.int64], saw: str, grave: bool = True
) -> list[Finding]:
    """Return a finding for the marked rows; none if no row is marked."""
    count = int(np.count_nonzero(at))
    if count == 0:
        return []
    first = int(times_ms[int(np.flatnonzero(at)[0])])
    return [Finding(code=code, grave=grave, count=count, first_ms=first, saw=saw)]


def some(marked: NDArray[np.bool_] | int, noun: str) -> str:
    """Return how many there are: "1 bar", "12 bars"."""
    count = int(np.count_nonzero(marked)) if isinstance(marked, np.ndarray) else marked
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
