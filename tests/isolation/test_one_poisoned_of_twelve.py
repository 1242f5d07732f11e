"""A fault acts as absence: the others decide byte for byte as if the poisoned coin were passed over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.home import Home
from tests.isolation.poisons import (
    FEEDS,
    FILES,
    MIDDLE,
    MORE_FEEDS,
    TICKS,
    VICTIM,
    Outcome,
    assert_others_alike,
    home_of,
    is_disabled,
    play,
)
from tests.unit.loop.runs import ROOMY

BINDING = {**ROOMY, "max_positions": 3, "exposure_cap_frac": 0.15, "heat_cap_frac": 0.004}
WHEN = [
    pytest.param(0, marks=pytest.mark.slow),
    MIDDLE,
]  # poisoned from the first tick, or after half of them
_runs: dict[tuple[str, int], Outcome] = {}


def whole_run(folder: Path) -> Outcome:
    """Return the run without poison under caps that bind no one; once per worker."""
    key = ("roomy", TICKS)
    if key not in _runs:
        _runs[key] = play(home_of(folder / "whole", ROOMY))
    return _runs[key]


def absent_run(folder: Path, at: int, way: str) -> Outcome:
    """Return the run under binding caps in which VICTIM is merely absent from tick `at` on."""
    key = (way, at)
    if key not in _runs:
        home = home_of(folder / "absent", BINDING)
        if way == "passed over":
            _runs[key] = play(home, at, passed_over=True)
        else:
            _runs[key] = play(home, at, on_file=is_disabled)
    return _runs[key]


def name_of(poison: Any) -> str:
    return str(poison.__name__)


@pytest.mark.parametrize("at", WHEN)
@pytest.mark.parametrize(
    "poison", [*FEEDS, *(pytest.param(each, marks=pytest.mark.slow) for each in MORE_FEEDS)], ids=name_of
)
class TestPoisonedFeed:
    def test_where_no_cap_binds_the_others_do_as_they_would(
        self, tmp_path: Path, poison: Any, at: int
    ) -> None:
        whole = whole_run(tmp_path)
        poisoned = play(home_of(tmp_path / "poisoned", ROOMY), at, poison)
        assert_others_alike(poisoned, whole)
        assert whole.held_in_the_middle and sum(len(events) for events in whole.events.values()) > 100
        assert poisoned.lines[VICTIM] == whole.lines[VICTIM][:at]
        assert len(poisoned.reasons) == TICKS - at, "each bar leaves its record"
        assert poisoned.exit_codes == [0] * at + [3] * (TICKS - at)

    def test_where_caps_bind_the_others_do_as_if_it_were_passed_over(
        self, tmp_path: Path, poison: Any, at: int
    ) -> None:
        way = "passed over" if at else "disabled"
        absent = absent_run(tmp_path, at, way)
        poisoned = play(home_of(tmp_path / "poisoned", BINDING), at, poison)
        assert_others_alike(poisoned, absent)


@pytest.mark.parametrize("at", WHEN)
@pytest.mark.parametrize("spoil", FILES, ids=name_of)
class TestPoisonedFile:
    def test_where_no_cap_binds_the_others_do_as_they_would(
        self, tmp_path: Path, spoil: Callable[[Home], None], at: int
    ) -> None:
        poisoned = play(home_of(tmp_path / "poisoned", ROOMY), at, on_file=spoil)
        assert_others_alike(poisoned, whole_run(tmp_path))
        assert len(poisoned.reasons) > 0
        assert poisoned.exit_codes[-1] == 3

    def test_where_caps_bind_the_others_do_as_if_it_were_disabled(
        self, tmp_path: Path, spoil: Callable[[Home], None], at: int
    ) -> None:
        poisoned = play(home_of(tmp_path / "poisoned", BINDING), at, on_file=spoil)
        assert_others_alike(poisoned, absent_run(tmp_path, at, "disabled"))


def test_the_binding_caps_do_bind_and_the_victim_matters_there(tmp_path: Path) -> None:
    present = play(home_of(tmp_path / "present", BINDING))
    absent = absent_run(tmp_path, 0, "disabled")
    assert present.held_in_the_middle
    assert any(present.lines[symbol] != absent.lines[symbol] for symbol in absent.lines if symbol != VICTIM)
