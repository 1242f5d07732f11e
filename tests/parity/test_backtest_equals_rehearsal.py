"""A backtest is a rehearsal at another speed: every record, trade, refusal and digest is the same.

Compared over 200 random configurations in sets; one that compares too little fails.
"""

import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip(
    "numba", reason="numba is absent: the backtest extra is not installed, nothing to compare"
)

from engine_alpha.backtest import run
from engine_alpha.loop.rehearse import rehearse
from tests.parity.configurations import CONFIGURATIONS, configuration
from tests.parity.differences import compared, difference, record_difference
from tests.parity.drawn_series import without_column_cache
from tests.unit.loop.runs import journal_of, set_risk

QUICK_SET, SET = 10, 45
FEWEST_DECISIONS, FEWEST_TRADES = 1_000, 100


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_column_cache(monkeypatch, tmp_path)


def assert_alike(seeds: range, folder: Path) -> None:
    """Compare configurations; name every one that differs, and how."""
    decisions = trades = 0
    different = []
    for seed in seeds:
        make_home, history = configuration(seed, folder / f"data-{seed}")
        one = compared(make_home(folder / f"home-{seed}"), history)
        shutil.rmtree(history.data)
        decisions, trades = decisions + one.decisions, trades + one.trades
        if one.difference is not None:
            different.append(f"configuration {seed}: {one.difference}")
    assert different == []
    assert decisions >= FEWEST_DECISIONS
    assert trades >= FEWEST_TRADES


@pytest.mark.slow
def test_ten_random_configurations_come_out_alike(tmp_path: Path) -> None:
    assert_alike(range(QUICK_SET), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(QUICK_SET, CONFIGURATIONS, SET))
def test_the_other_random_configurations_come_out_alike(tmp_path: Path, first: int) -> None:
    assert_alike(range(first, first + SET), tmp_path)


def test_a_difference_is_named_by_its_bar_and_field(tmp_path: Path) -> None:
    """The comparison itself: another fee shows at the first size that reckons with it."""
    make_home, history = configuration(0, tmp_path / "data")
    home = make_home(tmp_path / "home")
    report = rehearse(home, history)
    journal = journal_of(home, report.account)
    set_risk(home, slippage_bps=77.0)
    found = difference(journal, report, run(home, history, keep_records=True), history.symbols)
    journal.close()
    assert found is not None
    assert re.fullmatch(
        r"[A-Z]+ bar \d+: decision\.size\.\w+ is \S+ in the rehearsal, \S+ in the backtest", found
    )


def test_the_records_handed_out_are_those_of_the_journal(tmp_path: Path) -> None:
    """Field by field, shadows included: equal digests say nothing about what `records` returns."""
    for seed in (0, 3):
        make_home, history = configuration(seed, tmp_path / f"data-{seed}")
        home = make_home(tmp_path / f"home-{seed}")
        journal = journal_of(home, rehearse(home, history).account)
        result = run(home, history, keep_records=True)
        assert [record_difference(journal, result, symbol) for symbol in history.symbols] == [None] * len(
            history.symbols
        )
        assert result.decisions >= 100
        journal.close()
