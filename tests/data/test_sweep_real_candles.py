"""A sweep over real candles: they are plain, and every set comes out as a whole backtest of it does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest import History
from engine_alpha.backtest.request import Overrides, backtest_setup
from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.backtest.sweeping.variants import make_variants
from engine_alpha.times import parse_iso
from tests.unit.backtest.both_roads import in_full
from tests.unit.loop.runs import SYMBOLS, a_home

BREAKOUT = {
    "name": "breakout",
    "rationale": "For tests: a channel breakout both ways.",
    "source": "tests",
    "status": "active",
    "scope": {"follows": "entry"},
    "entry": [{"signal": "channel_240", "at_least": 0.95}],
    "exits": {"stop": {"range": 6.0}, "when": [{"signal": "channel_120", "at_most": -0.95}]},
}


def test_twelve_coins_for_a_year_come_out_as_on_the_full_road(shared_data: Path, tmp_path: Path) -> None:
    history = History(
        data=shared_data,
        venue="BINANCEUM",
        symbols=SYMBOLS,
        from_ms=parse_iso("2023-01-01"),
        to_ms=parse_iso("2024-01-01"),
    )
    home = a_home(tmp_path / "home", enabled=(), cards=(BREAKOUT,))
    variants = make_variants(
        backtest_setup(home, history, Overrides()),
        ["breakout:exits.stop.range=3,6", "risk:drawdown_halt_frac=0.05,1"],
    )
    evaluate = prepare(variants.setup, history)
    assert evaluate.skim is not None
    for values in ((3, 0.05), (6, 1)):
        setup = variants.setup_of(values)
        expected, played = in_full(setup, history)
        assert replace(evaluate(setup), daily=None) == expected, values
        assert np.array_equal(evaluate.swept(setup).net_quote, played.out.tick_net), values
        assert expected.trades > 50
