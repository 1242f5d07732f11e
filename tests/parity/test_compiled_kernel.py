"""Every kernel function gives, compiled by Numba, the bits that it gives as plain Python.

On arguments drawn from its annotations, edges and NaN included, and on those of real runs.
"""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

pytest.importorskip(
    "numba", reason="numba is absent: the backtest extra is not installed, nothing to compare"
)

from engine_alpha.kernel.codes import AT_MOST
from engine_alpha.kernel.signals import ADX, BOLLINGER_Z, CHANNEL_48
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
from tests.compiled import Recorder, difference, kernel_functions, outcome, outcomes
from tests.makers import a_card, a_condition, a_risk, parameters, random_bars, rules
from tests.parity.drawn_arguments import Draw
from tests.unit.kernel.scenes import block_features, eight_hourly, fresh_purse, play
from tests.unit.loop.runs import QUICK, ROOMY, a_home

NAMES = tuple(kernel_functions())
DRAWS, FEWEST_RESULTS = 120, 100
PLAYED_BARS = 1_600
FEWEST_CALLS, FEWEST_FUNCTIONS = 1_500, 70
DAY_MS = 86_400_000
JULY_2023_MS = 1_689_811_200_000
TIGHT = {**QUICK, "exits": {"stop": {"atr": 0.5}, "target": {"atr": 0.7}, "max_hold_bars": 6}}
NEEDS_A_TRADE = ("decide.decide",)
"""No random draw passes all 24 gates: what comes after them is compared on played bars."""

KNOWN = rules(
    (
        a_card(entry_end=1, exit_first=1, exit_end=2, stop_atr=3.0, trail_range=4.0, trades_per_day=2),
        a_card(
            entry_first=2, entry_end=4, stop_atr=2.0, target_atr=2.5, max_hold_bars=18, min_confidence=-0.5,
            min_trades=5, min_pf=0.3, max_drawdown_frac=0.3,
        ),
    ),
    (
        a_condition(CHANNEL_48, 0.8),
        a_condition(CHANNEL_48, -1.0, AT_MOST),
        a_condition(BOLLINGER_Z, -1.0, AT_MOST),
        a_condition(ADX, 0.35, AT_MOST, directional=0),
    ),
    risk=a_risk(pf_floor=0.1, cluster_losses=6),
    thresholds=parameters(confidence_min=0.02, neutral_zone=0.01),
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_function_gives_the_same_compiled_on_drawn_arguments(name: str) -> None:
    draw, function = Draw(seed=NAMES.index(name)), kernel_functions()[name]
    results = 0
    for number in range(DRAWS):
        arguments = draw.arguments(function, edgy=number % 2 == 1)
        plain, compiled = outcomes(name, arguments)
        assert difference(plain, compiled) is None, (number, arguments)
        results += not isinstance(plain, str)
    assert results >= FEWEST_RESULTS


@pytest.mark.parametrize("name", NAMES)
def test_the_draws_reach_every_line_of_a_function(name: str) -> None:
    draw, function = Draw(seed=NAMES.index(name)), kernel_functions()[name]
    drawn = [draw.arguments(function, edgy=number % 2 == 1) for number in range(DRAWS)]
    reached = lines_reached(function, drawn)
    wanted = lines_of(function)
    if name in NEEDS_A_TRADE:
        assert len(wanted - reached) == 2
    else:
        assert wanted - reached == set()


def test_functions_give_the_same_compiled_on_the_arguments_of_a_played_run() -> None:
    bars = random_bars(PLAYED_BARS, seed=3)
    with Recorder() as seen:
        _, records = play(KNOWN, block_features(bars, eight_hourly(bars, 3)), fresh_purse(KNOWN))
    assert sum(record.settlement.trade.side != 0 for record in records) >= 10
    assert_alike(seen)
    pending = [call for call in seen.calls["sizing.pending_of"] if call["size"].quantity_base > 0.0]
    assert pending


def test_functions_give_the_same_compiled_on_the_arguments_of_real_candles(
    tmp_path: Path, shared_data: Path
) -> None:
    """With minutes inside the hours, a card that trades at every chance, and exits that are often reached."""
    home = a_home(tmp_path, cards=(TIGHT,), risk={**ROOMY, "detail": "1m"})
    asked = History(
        data=shared_data,
        venue="BINANCEUM",
        symbols=("ETHUSDT", "SOLUSDT"),
        from_ms=JULY_2023_MS,
        to_ms=JULY_2023_MS + 2 * DAY_MS,
    )
    with Recorder() as seen:
        report = rehearse(home, asked)
    assert report.trades >= 5
    assert_alike(seen)
    assert any(len(call["bar"].minutes) == 60 for call in seen.calls["settle._inside_exit"])


def test_a_difference_of_one_bit_or_of_kind_is_noticed() -> None:
    assert difference((1, 0.5, float("nan")), (1, 0.5, -float("nan"))) is None
    assert difference((0.0,), (-0.0,)) == ".0: plain 0.0, compiled -0.0"
    assert difference(0.1 + 0.2, 0.3) is not None
    assert difference(1, 1.0) is not None
    assert difference((1, 2), (1, 2, 3)) is not None


def assert_alike(seen: Recorder) -> None:
    """Call every function in both forms on what it was called with."""
    compared = 0
    for name, calls in seen.calls.items():
        for arguments in calls:
            plain, compiled = outcomes(name, arguments)
            assert difference(plain, compiled) is None, (name, arguments)
            compared += 1
    assert compared >= FEWEST_CALLS
    assert len(seen.calls) >= FEWEST_FUNCTIONS


def lines_reached(function: Any, drawn: list[dict[str, Any]]) -> set[int]:
    """Return the lines of a function that run, called with these arguments."""
    reached: set[int] = set()

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            reached.add(frame.f_lineno)
        return on_line

    before = sys.gettrace()
    sys.settrace(lambda frame, event, _: on_line if frame.f_code is function.__code__ else None)
    try:
        for arguments in drawn:
            outcome(function, list(arguments.values()))
    finally:
        sys.settrace(before)
    return reached


def lines_of(function: Any) -> set[int]:
    """Return all lines of a function's body."""
    code = function.__code__
    return {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
