"""The kernel compiled by Numba gives the bits that it gives as plain Python."""

from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip(
    "numba", reason="numba is absent: the backtest extra is not installed, nothing to compare"
)

from engine_alpha.domain.bars import Funding
from engine_alpha.kernel.codes import AT_MOST, EXIT_STOP, EXIT_TARGET, EXIT_TIME, EXIT_TRAILING
from engine_alpha.kernel.signals import ADX, BOLLINGER_Z, CHANNEL_48
from engine_alpha.kernel.values import Rules, Tally
from tests.compiled import as_arrays, as_records, compiled_run, run_plain
from tests.makers import a_card, a_condition, a_risk, parameters, random_bars, rules, signal_table
from tests.unit.kernel.scenes import eight_hourly

COUNT, FIRST = 4_500, 513
EXIT_REASON, NET_QUOTE, ACTION, GATES_PASSED = 20, 21, 4, 11  # columns of tests.compiled.row_of

CONDITIONS = (
    a_condition(CHANNEL_48, 0.8),
    a_condition(CHANNEL_48, -1.0, AT_MOST),
    a_condition(BOLLINGER_Z, -1.0, AT_MOST),
    a_condition(ADX, 0.35, AT_MOST, directional=0),
)
KNOWN = rules(
    (
        a_card(entry_end=1, exit_first=1, exit_end=2, stop_atr=3.0, trail_range=4.0, trades_per_day=2),
        a_card(
            entry_first=2, entry_end=4, stop_atr=2.0, target_atr=2.5, max_hold_bars=18, min_confidence=-0.5,
            min_trades=5, min_pf=0.3, max_drawdown_frac=0.3,
        ),
    ),
    CONDITIONS,
    risk=a_risk(pf_floor=0.1, cluster_losses=6),
    thresholds=parameters(confidence_min=0.02, neutral_zone=0.01),
)  # fmt: skip


class Roads(NamedTuple):
    """The same bars by both roads, one row of numbers per decision."""

    plain: np.ndarray
    compiled: np.ndarray


@pytest.fixture(scope="module")
def roads() -> Roads:
    run = compiled_run()
    plain, compiled = [], []
    for seed in (3, 8):
        bars = random_bars(COUNT, seed=seed)
        table = signal_table(bars, eight_hourly(bars, seed) if seed == 3 else Funding())
        plain.append(run_plain(KNOWN, bars, table, FIRST))
        prices = np.column_stack([bars.open, bars.high, bars.low, bars.close, bars.volume])
        tallies = as_records([Tally(0, 0.0, 0.0, 0.0, 0.0, 0, 0)] * len(KNOWN.cards), Tally)
        arrays: Rules = as_arrays(KNOWN)
        compiled.append(run(arrays, bars.open_ms, prices, bars.timeframe_ms, table, FIRST, tallies))
    return Roads(np.vstack(plain), np.vstack(compiled))


def test_there_is_enough_to_compare(roads: Roads) -> None:
    plain = roads.plain
    reasons = set(plain[:, EXIT_REASON].astype(int).tolist())
    assert len(plain) >= 6_000
    assert np.count_nonzero(plain[:, NET_QUOTE]) >= 20
    assert {EXIT_STOP, EXIT_TARGET, EXIT_TRAILING, EXIT_TIME} <= reasons
    assert set(plain[:, ACTION].astype(int).tolist()) == {0, 1, 2}
    assert len(set(plain[:, GATES_PASSED].tolist())) >= 5


def test_both_roads_agree_to_the_bit(roads: Roads) -> None:
    plain, compiled = roads
    assert plain.shape == compiled.shape
    same = plain.view(np.int64) == compiled.view(np.int64)
    same |= np.isnan(plain) & np.isnan(compiled)
    rows, columns = np.nonzero(~same)
    assert (rows[:5].tolist(), columns[:5].tolist()) == ([], [])
