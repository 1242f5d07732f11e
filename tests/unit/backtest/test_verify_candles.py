"""`verify` on real candles, with their funding and mark prices."""

from dataclasses import replace
from pathlib import Path

from engine_alpha.home import Home, init_home
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History, history_setup
from tests.unit.backtest.verifying import files, verified
from tests.unit.loop.runs import journal_of, set_risk

DAY_MS = 86_400_000
FROM_MS = 1_675_209_600_000  # 2023-02-01


def test_a_rehearsal_over_real_candles_comes_out_byte_for_byte_and_against_another_venues_does_not(
    shared_data: Path, tmp_path: Path
) -> None:
    init_home(tmp_path / "home")
    home = Home(tmp_path / "home")
    asked = History(
        data=shared_data,
        venue="BINANCEUM",
        symbols=("ETHUSDT", "SOLUSDT"),
        from_ms=FROM_MS,
        to_ms=FROM_MS + 5 * DAY_MS,
    )
    journal = journal_of(home, rehearse(home, asked).account)
    setup = history_setup(home, asked)
    found = verified(journal, setup, files(asked))
    assert (found.findings, found.decisions, found.exact) == ((), 240, 240)
    other = verified(journal, setup, files(replace(asked, venue="BYBIT")))
    assert {one.cause for one in other.findings} == {"bar_revised"}
    set_risk(home, risk_frac=0.02)
    changed = verified(journal, history_setup(home, asked), files(asked))
    assert [change.key for one in changed.findings for change in one.changes] == ["risk_frac"]
    assert {one.subject for one in changed.findings} == {"risk.json"}
    journal.close()
