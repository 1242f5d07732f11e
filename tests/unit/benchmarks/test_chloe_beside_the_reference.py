"""Chloe's backtest against the reference that all engines are measured by: the rules read twice."""

from pathlib import Path

import pytest

from benchmarks.peers.bars import seeded_bars
from benchmarks.peers.compare import compared
from benchmarks.peers.reference import reference_trades
from benchmarks.peers.runners.chloe import home_for, store, trades_of
from benchmarks.peers.runners.contract import Rules
from engine_alpha.backtest import run


@pytest.mark.parametrize("gaps", [False, True])
def test_every_trade_of_the_card_is_the_references(tmp_path: Path, gaps: bool) -> None:
    bars = seeded_bars(11, gaps, symbols=4, bars=6_000)
    home = home_for(bars, tmp_path / "home")
    theirs = trades_of(run(home, store(bars, home), records=False))
    found = compared("chloe", (reference_trades(bars, Rules()), theirs), bars, Rules())
    assert found.ours > 300
    assert (found.equal, found.unexplained) == (found.ours, [])
