"""Rehearse until done or killed: home, data, from, to, symbols; print every tick done, then the digests."""

import sys
from pathlib import Path

from engine_alpha.home import Home
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History

home, data, from_ms, to_ms, *symbols = sys.argv[1:]
wanted = History(
    data=Path(data), venue="bybit", symbols=tuple(symbols), from_ms=int(from_ms), to_ms=int(to_ms)
)
report = rehearse(Home(Path(home)), wanted, lambda done, total: print(done, total, flush=True))
print("end", report.decisions_sha256, report.ledger_sha256, report.decisions, report.no_decisions, flush=True)
