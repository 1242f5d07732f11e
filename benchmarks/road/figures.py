"""Figures of the compiled road taken inside one process: `benchmarks.road` starts one for each group.

    python -m benchmarks.road.figures GROUP FOLDER

FOLDER has the homes of `benchmarks.road.homes`. The answer, JSON on standard output, says how long a fixed
Python loop took before and after: compare groups only where it is alike.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.road.growth import costs, past_trades
from benchmarks.road.rates import minute_rates, real_rates, road_rates, stages
from benchmarks.road.sweeps import sweep
from benchmarks.road.timing import Figure, calibrated

GROUPS: dict[str, Callable[[Path], list[Figure]]] = {
    "road": road_rates,
    "costs": costs,
    "past": past_trades,
    "sweep": sweep,
    "stages": stages,
    "real": real_rates,
    "minutes": minute_rates,
}


def main() -> None:
    """Take one group of figures."""
    group, folder = sys.argv[1], Path(sys.argv[2])
    before = calibrated()
    figures = GROUPS[group](folder)
    answer = {"loop_ms": [before, calibrated()], "figures": [figure._asdict() for figure in figures]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
