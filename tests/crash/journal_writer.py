"""Write to a journal until killed, and print each bar once its commit has returned."""

import sys
from pathlib import Path

from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.lock import account_lock
from tests.unit.journals.batches import commit_counted, event

folder = Path(sys.argv[1])
with account_lock(folder):
    journal = SqliteJournal.open(folder / "journal.sqlite")
    bar = journal.head().seq // 3
    print("open", flush=True)
    while True:
        bar += 1
        symbol = ("ETHUSDT", "BTCUSDT", "SOLUSDT")[bar % 3]
        batch = [event(kind, symbol, bar, padding="x" * 1500) for kind in ("decision", "intent", "fill")]
        assert commit_counted(journal, bar, *batch) == 3
        print(bar, flush=True)
