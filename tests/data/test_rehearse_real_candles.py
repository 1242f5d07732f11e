"""A rehearsal over real candles: every bar decided, and as the paper runner would."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine_alpha.loop import wiring
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
from engine_alpha.step.recording import DECISION, digests_of
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    a_home,
    assert_sound,
    decision_lines,
    engine_of,
    journal_of,
    set_asset,
    tick_at,
)

FROM_MS = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
TO_MS = int(datetime(2023, 2, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.slow
def test_a_month_of_eth_is_decided_bar_by_bar_as_paper_would(tmp_path: Path, shared_data: Path) -> None:
    asked = History(data=shared_data, venue="BINANCEUM", symbols=("ETHUSDT",), from_ms=FROM_MS, to_ms=TO_MS)
    home = a_home(tmp_path / "one")
    report = rehearse(home, asked)
    assert (report.decisions, report.no_decisions) == (31 * 24, 0)
    assert report.trades > 50
    journal = journal_of(home, report.account)
    assert_sound(journal)
    again = rehearse(home, asked)
    assert again.stepped_bars == 0
    assert (again.decisions_sha256, again.ledger_sha256) == (report.decisions_sha256, report.ledger_sha256)

    set_asset(home, "ETHUSDT", venue="binance")
    with engine_of(home, wiring.files_feed(shared_data, "BINANCEUM"), account="paper") as engine:
        for at_ms in range(FROM_MS + HOUR_MS, FROM_MS + 3 * 24 * HOUR_MS, HOUR_MS):
            assert tick_at(engine, at_ms + 5_000).exit_code == 0
        lines = decision_lines(engine.journal, "ETHUSDT")
        assert lines == decision_lines(journal, "ETHUSDT")[: len(lines)] and len(lines) == 3 * 24 - 1
        assert digests_of(engine.journal.events(DECISION)).decisions == len(lines)
    journal.close()
