"""What every runner shares: the bars it is given, the rules it plays, and the form of its answer.

Needs NumPy and nothing of Chloe: it is read by interpreters that know only their own engine.
"""

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

STOP, TARGET, CROSS = "stop", "target", "cross"
WARM_RUNS = 3
SLOW_RUN_S = 10.0  # an engine that needs longer is timed once more, not three times


class Rules(NamedTuple):
    """The strategy: long when EMA `fast` crosses above `slow` at a close, in at the next open.

    Out at stop or target, measured from the fill, or at the open after the cross down. One position a symbol.
    """

    fast_bars: int = 12
    slow_bars: int = 26
    stop_frac: float = 0.02
    target_frac: float = 0.04
    fee_frac: float = 0.00055
    notional_quote: float = 1_000.0
    first_signal_bar: int = 600  # index of the first bar whose close may give a signal; Chloe is warm by then


class PeerBars(NamedTuple):
    """Candles of all symbols on one time axis: `open_ms` (bars,), prices and volume (symbols, bars)."""

    symbols: list[str]
    tick: NDArray[np.float64]  # (symbols,)
    open_ms: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


class PeerTrade(NamedTuple):
    """A closed trade; times are the open times of the bars it was entered and left in; pnl is net of fees."""

    symbol: str
    entry_ms: int
    entry_price: float
    exit_ms: int
    exit_price: float
    reason: str
    pnl_quote: float


class Timing(NamedTuple):
    """Seconds of the first run (compiling included) and of the runs after it, and the last run's result."""

    first_s: float
    warm_s: list[float]
    result: Any


def write_bars(path: Path, bars: PeerBars) -> None:
    """Write the exchange file."""
    np.savez(path, **{name: np.asarray(value) for name, value in bars._asdict().items()})


def read_bars(path: Path) -> PeerBars:
    """Read the exchange file."""
    with np.load(path) as stored:
        columns = {name: np.ascontiguousarray(stored[name]) for name in PeerBars._fields if name != "symbols"}
        return PeerBars(symbols=[str(name) for name in stored["symbols"]], **columns)


def has_gaps(bars: PeerBars) -> bool:
    """Say whether any bar opens away from the close before it."""
    return bool((bars.open[:, 1:] != bars.close[:, :-1]).any())


def decimals(tick: float) -> int:
    """Return how many decimals a price on this tick has."""
    return max(0, round(-float(np.log10(tick))))


def on_tick(price: float, tick: float, rounding: Callable[[float], int]) -> float:
    """Return the price on the grid, `math.floor` or `math.ceil` deciding; 1e-6 of a tick is float noise."""
    return round(rounding(round(price / tick, 6)) * tick, decimals(tick))


def timed(prepare: Callable[[], Any], simulate: Callable[[Any], Any]) -> Timing:
    """Time `simulate` on what `prepare` made anew for each run: first, then three times, or once if slow."""
    seconds: list[float] = []
    result = None
    while len(seconds) < 1 + WARM_RUNS:
        ready = prepare()
        start = time.perf_counter()
        result = simulate(ready)
        seconds.append(time.perf_counter() - start)
        if len(seconds) > 1 and seconds[-1] > SLOW_RUN_S:
            break
    return Timing(seconds[0], seconds[1:], result)


def seconds_since_start() -> float:
    """Return the age of this process: asked once the imports are done, what starting an engine takes."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


class Answer(NamedTuple):
    """What a runner has to say: `import_s` is the process's age when the engine was imported."""

    engine: str
    version: str
    import_s: float
    timing: Timing
    trades: list[PeerTrade]
    extra: dict[str, Any]


def write_answer(path: Path, answer: Answer) -> None:
    """Write the runner's answer as JSON."""
    found = {
        "engine": answer.engine,
        "version": answer.version,
        "python": ".".join(map(str, sys.version_info[:3])),
        "seconds_import": answer.import_s,
        "seconds_first": answer.timing.first_s,
        "seconds_warm": answer.timing.warm_s,
        "seconds_warm_median": statistics.median(answer.timing.warm_s),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "trades": [list(trade) for trade in answer.trades],
        **answer.extra,
    }
    path.write_text(json.dumps(found))


def arguments() -> tuple[Path, Path, bool]:
    """Return the runner's arguments: exchange file, where the answer goes, and whether to sweep."""
    return Path(sys.argv[1]), Path(sys.argv[2]), "--sweep" in sys.argv[3:]


def sweep_levels() -> list[tuple[float, float]]:
    """Return the sweep's 100 parameter sets: stop and target as fractions."""
    stops = [round(0.010 + 0.005 * i, 3) for i in range(10)]
    targets = [round(0.020 + 0.010 * i, 3) for i in range(10)]
    return [(stop, target) for stop in stops for target in targets]
