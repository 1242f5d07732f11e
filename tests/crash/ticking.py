"""Run ticks of the current home hour after hour until done or killed, the account opened anew for each.

Arguments: home, first and last hour since the epoch. Each hour is printed once its tick has returned.
"""

import sys

from engine_alpha.loop.wiring import run_tick
from engine_alpha.times import iso

home, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for hour in range(first, last + 1):
    report = run_tick(home, "embedded", iso(hour * 3_600_000 + 5_000))
    print(hour, report.exit_code, flush=True)
