"""Dead at any write or call of a tick and started again, orders and ledger come out as without it."""

from pathlib import Path

import pytest

from tests.live.crash_points import VENUES, Row, line, table

FEWER, AHEAD = 5, 2


def told(rows: list[Row]) -> str:
    return "\n".join(line(row) for row in rows if not row.is_good)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("venue", VENUES)
def test_every_fifth_crash_loses_nothing_and_doubles_nothing(tmp_path: Path, venue: str) -> None:
    scenario, rows = table(tmp_path, venue, FEWER, AHEAD)
    done = list(rows)
    assert all(row.is_good for row in done), told(done)
    assert len(done) == -(-2 * len(scenario.names) // FEWER)


@pytest.mark.parametrize("venue", VENUES)
def test_the_scenario_has_all_that_can_happen(tmp_path: Path, venue: str) -> None:
    whole, _ = table(tmp_path, venue)
    reasons = {trade[4] for trade in whole.outcome.trades}
    assert {"stop", "trailing"} <= reasons and reasons & {"opposite_signal", "time"}
    assert len(whole.outcome.waiting) == 2 and len(whole.outcome.held) == 1, "it ends in a protected position"
    assert any(fill[1] == "Funding" and fill[-1] != "0" for fill in whole.outcome.fills), whole.outcome.fills


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("venue", VENUES)
def test_no_crash_loses_or_doubles_anything(tmp_path: Path, venue: str) -> None:
    _, rows = table(tmp_path, venue)
    done = list(rows)
    assert all(row.is_good for row in done), told(done)
