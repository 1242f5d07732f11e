"""Without faults, orders at an exchange that fills by our rules lead to the decisions of paper."""

from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain.bars import Funding
from engine_alpha.step.recording import DECISION, TRADE, digests_of
from tests.live.worlds import live_world, on_venue
from tests.makers import HOUR_MS
from tests.unit.backtest.verifying import as_is
from tests.unit.loop.runs import (
    FIRST_NUMBER,
    QUICK,
    START_MS,
    MemoryFeed,
    a_home,
    assert_sound,
    engine_of,
    payloads,
    series_of,
    tick_hours,
)

SYMBOLS = ("ETHUSDT", "BTCUSDT", "SOLUSDT")
HOURS = range(0, 120)
MONEY = ("symbol", "quantity_base", "entry_price", "exit_price", "exit_reason", "fees_quote", "net_quote")
TRAILED = {
    **QUICK,
    "name": "trailed",
    "exits": {"stop": {"atr": 1.2}, "target": {"atr": 3.0}, "trailing": {"atr": 1.0}, "max_hold_bars": 9},
}


def every_eight_hours() -> Funding:
    first_ms = -(-FIRST_NUMBER // 8) * 8 * HOUR_MS
    settled_ms = np.arange(first_ms, START_MS + 1_000 * HOUR_MS, 8 * HOUR_MS, dtype=np.int64)
    rates = np.where(np.arange(len(settled_ms)) % 3 == 0, -0.00013, 0.0001)
    return Funding(
        settled_ms=settled_ms,
        rate_frac=rates,
        from_ms=FIRST_NUMBER * HOUR_MS,
        to_ms=START_MS + 1_000 * HOUR_MS,
    )


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
def test_decisions_and_money_are_those_of_paper(tmp_path: Path, venue: str) -> None:
    series, funding = series_of(SYMBOLS), every_eight_hours()
    world = live_world(a_home(tmp_path / "live", SYMBOLS, cards=(TRAILED,)), venue, series, funding)
    unarmed = a_home(tmp_path / "paper", SYMBOLS, cards=(TRAILED,))
    on_venue(unarmed, venue)
    with engine_of(unarmed, MemoryFeed(series, funding)) as paper:
        tick_hours(paper, HOURS)
        on_paper = digests_of(paper.journal.events(DECISION)).hexes()
        trades_on_paper = payloads(paper.journal, TRADE)
    with world.engine() as live:
        for hour in HOURS:
            world.tick(live, hour)
            assert live.live is not None and live.live.book.faults == {}
        digests = digests_of(live.journal.events(DECISION))
        trades = payloads(live.journal, TRADE)
        assert_sound(live.journal)
        again = as_is(world.home, live.journal, MemoryFeed(series, funding))
    assert (again.findings, again.exact) == ((), digests.decisions)
    assert digests.decisions == len(SYMBOLS) * len(HOURS)
    assert digests.hexes()[0] == on_paper[0]
    assert [[trade[name] for name in MONEY] for trade in trades] == [
        [trade[name] for name in MONEY] for trade in trades_on_paper
    ]
    assert len(trades) >= 20
    assert {"stop", "target", "trailing", "time"} <= {trade["exit_reason"] for trade in trades}
