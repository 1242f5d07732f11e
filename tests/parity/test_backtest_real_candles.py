"""A backtest of the twelve coins on real candles with all default cards is the rehearsal, bit for bit."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip(
    "numba", reason="numba is absent: the backtest extra is not installed, nothing to compare"
)

from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History
from tests.parity.differences import compared
from tests.unit.loop.runs import QUICK, SYMBOLS, put_card


def between(data: Path, first: tuple[int, int], last: tuple[int, int]) -> History:
    """Return all coins from the first day of a month to that of another."""
    from_ms, to_ms = (int(datetime(*month, 1, tzinfo=UTC).timestamp()) * 1_000 for month in (first, last))
    return History(data=data, venue="BINANCEUM", symbols=SYMBOLS, from_ms=from_ms, to_ms=to_ms)


def a_default_home(path: Path) -> Home:
    """Return a fresh home, nothing changed."""
    init_home(path)
    return Home(path)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("days", [8, pytest.param(31, marks=pytest.mark.slow)])
def test_days_of_the_twelve_coins(tmp_path: Path, shared_data: Path, days: int) -> None:
    """May 2021; a card that trades at every chance stands behind the default ones."""
    home = a_default_home(tmp_path)
    put_card(home, {**QUICK, "risk": {"size_factor": 0.1}, "scope": {"priority": -1}})
    month = between(shared_data, (2021, 5), (2021, 6))
    found = compared(home, replace(month, to_ms=month.from_ms + days * 86_400_000))
    assert found.difference is None
    assert found.decisions == 12 * days * 24
    assert found.trades >= days


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_year_of_the_twelve_coins(tmp_path: Path, shared_data: Path) -> None:
    found = compared(a_default_home(tmp_path), between(shared_data, (2022, 1), (2023, 1)))
    assert found.difference is None
    assert found.decisions == 12 * 365 * 24
    assert found.trades >= 100
