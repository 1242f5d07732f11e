"""A set that a position keeps is written to the bit; one without calibration as before there was any."""

import json
from pathlib import Path

import pytest

from engine_alpha.home import Home, init_home
from engine_alpha.kernel.values import Parameters
from engine_alpha.plans.setup import read_setup
from engine_alpha.step.state import AssetState, new_state, state_of, state_text

Rows = tuple[tuple[float, float], ...]


def held_state(folder: Path, calibration: Rows) -> AssetState:
    init_home(folder)
    setup = read_setup(Home(folder))
    plan = setup.plan(setup.registry.assets[0])
    held = plan.held(0)
    kept = type(held)(
        **{name: getattr(held, name) for name in held.__slots__ if name != "parameters"},
        parameters=held.parameters._replace(calibration=calibration),
    )
    state = new_state(plan.asset, 1_000.0)
    return AssetState(config=state.config, sub=state.sub, held=kept)


@pytest.mark.parametrize(("rows", "written"), [((), 8), (((0.1, 0.2), (0.30000000000000004, 0.9)), 9)])
def test_a_held_set_comes_back_to_the_bit(tmp_path: Path, rows: Rows, written: int) -> None:
    state = held_state(tmp_path / "home", rows)
    text = state_text(state)
    assert len(json.loads(text)["held"]["parameters"]) == written
    assert state_of(text) == state
    assert state_text(state_of(text)) == text


def test_without_rows_a_set_is_written_as_before_there_were_any() -> None:
    assert Parameters._fields[-1] == "calibration", "a field after it needs a way to read older states"
