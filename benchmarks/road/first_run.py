"""Run a `chloe` command and say how long of it Numba compiled.

python -m benchmarks.road.first_run ANSWER chloe's arguments...
"""

import sys
import time
from pathlib import Path

START = time.perf_counter()

from numba.core import event  # noqa: E402  what is imported counts

from engine_alpha.cli.root import chloe  # noqa: E402


def compiled_seconds(recorded: list[tuple[float, event.Event]]) -> float:
    """Return the seconds in which something was being compiled; what compiles may need others compiled."""
    total, depth, since = 0.0, 0, 0.0
    for at, each in recorded:
        if each.is_start:
            since = at if depth == 0 else since
            depth += 1
        else:
            depth -= 1
            total += at - since if depth == 0 else 0.0
    return total


def main() -> None:
    """Run the command."""
    with event.install_recorder("numba:compile") as recorder:
        chloe.main(args=sys.argv[2:], prog_name="chloe", standalone_mode=False)
    Path(sys.argv[1]).write_text(f"{compiled_seconds(recorder.buffer)} {len(recorder.buffer) // 2}")


if __name__ == "__main__":
    main()
