"""Real minutes make up the real hours to the bit, and decide what came first inside them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine_alpha.domain.detail import detail_of
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
from engine_alpha.step.recording import DECISION
from engine_alpha.store.shelf import open_shelf
from tests.unit.loop.runs import QUICK, ROOMY, a_home, journal_of, payloads

BY_THE_MINUTE = ("ADA", "BNB", "BTC", "DOGE", "DOT", "ETH", "MATIC", "SOL", "XRP")
FROM_MS = int(datetime(2023, 7, 20, tzinfo=UTC).timestamp() * 1000)
TO_MS = int(datetime(2023, 7, 24, tzinfo=UTC).timestamp() * 1000)
TIGHT = {**QUICK, "exits": {"stop": {"atr": 0.5}, "target": {"atr": 0.7}, "max_hold_bars": 6}}


def test_every_hour_has_its_minutes_where_all_of_them_are_stored(shared_data: Path) -> None:
    shelf = open_shelf(shared_data)
    for name in BY_THE_MINUTE:
        hours = shelf.bars("BINANCEUM", f"{name}USDT", "1h")
        minutes = shelf.bars("BINANCEUM", f"{name}USDT", "1m")
        assert hours is not None and minutes is not None
        detail = detail_of(hours, minutes)
        inside = np.flatnonzero(
            (hours.open_ms >= minutes.open_ms[0]) & (hours.close_ms <= minutes.close_ms[-1])
        )
        assert len(inside) > 700, name
        assert (detail.minute_count[inside] == 60).all(), name
        assert detail.minute_count.sum() == 60 * len(inside), name


def test_a_rehearsal_with_minutes_has_fewer_ambiguous_bars_and_another_ledger(
    tmp_path: Path, shared_data: Path
) -> None:
    symbols = ("ETHUSDT", "DOGEUSDT", "SOLUSDT")
    asked = History(data=shared_data, venue="BINANCEUM", symbols=symbols, from_ms=FROM_MS, to_ms=TO_MS)
    reports = {}
    for detail in ("1m", None):
        home = a_home(tmp_path / str(detail), cards=(TIGHT,), risk={**ROOMY, "detail": detail})
        reports[detail] = rehearse(home, asked)
        journal = journal_of(home, reports[detail].account)
        found = [each.get("minutes_hash") for each in payloads(journal, DECISION)]
        journal.close()
        assert "" not in found
        assert (sum(1 for each in found if each) > 150) is (detail is not None)
    with_minutes, without = reports["1m"], reports[None]
    assert with_minutes.decisions == without.decisions == 3 * 96
    assert without.ambiguous > with_minutes.ambiguous
    assert with_minutes.ledger_sha256 != without.ledger_sha256
