"""Edge by card, regime and band: what is measured, what is not known, how far coins are drawn together."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.research.edge.bands import FIXED_EDGES, Bands, bands_of
from engine_alpha.research.edge.cells import Cell, Edge, edge_of, edge_rows
from engine_alpha.research.edge.trades import DAY_MS, cut_of
from engine_alpha.research.statistics.intervals import (
    Interval,
    daily_sums,
    drawn_intervals,
)
from tests.unit.research.edge.pools import START_MS, a_pool, a_table

BANDS = Bands(edges=(0.3, 0.5), said="for tests", fitted_before_ms=0)


def cell_of(edge: Edge, symbol: str | None, regime: str | None = None, band: str | None = None) -> Cell:
    found = [each for each in edge.of(symbol) if (each.place.regime, each.place.band) == (regime, band)]
    assert len(found) == 1, [each.place for each in edge.of(symbol)]
    return found[0]


def bounds(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


def test_a_cell_is_the_mean_and_profit_factor_of_its_trades() -> None:
    r = np.random.default_rng(1).normal(0.2, 1.0, 80)
    pool = a_pool(ETH=a_table(r, score=0.4), BTC=a_table(-r, score=-0.6, regime="trend_up"))
    edge = edge_of(pool, ["quick"], BANDS)
    own = cell_of(edge, "ETH", "chop", "middle")
    assert own.trades == own.days == 80
    assert own.mean_r == pytest.approx(float(r.mean()))
    assert own.factor == profit_factor(r.tolist())
    sums = daily_sums(r, np.arange(80))
    drawn = drawn_intervals(sums)
    assert bounds(own.factor_drawn) == pytest.approx(bounds(drawn.factor), rel=0.01)
    assert bounds(own.mean_drawn) == pytest.approx(bounds(drawn.mean), abs=0.01)
    assert cell_of(edge, "BTC", "trend_up", "high").trades == 80
    both = cell_of(edge, None)
    assert both.trades == 160 and both.days == 80
    assert both.mean_r == pytest.approx(0.0)


def test_where_nobody_traded_nothing_is_known_and_nothing_is_0() -> None:
    edge = edge_of(a_pool(ETH=a_table(np.ones(3))), ["quick", "silent"], BANDS)
    for symbol in (None, "ETH"):
        silent = [cell for cell in edge.of(symbol) if cell.place.card == "silent"]
        assert len(silent) == 1 + 4  # the card whole, and each regime; no bands of nothing
        for cell in silent:
            assert cell.trades == 0 and "no trades" in cell.words
            assert (cell.mean_r, cell.factor.value, cell.mean, cell.shrunk_r) == (None, None, None, None)
    for row in edge_rows(edge, "ETH"):
        if row["trades"] == 0:
            assert row["mean_r"] is None and row["factor"] is None and "no trades" in row["words"]


def test_rows_are_json_and_an_endless_profit_factor_is_said_in_words() -> None:
    edge = edge_of(a_pool(ETH=a_table(np.linspace(0.5, 1.0, 20))), ["quick"], BANDS)
    rows = json.loads(json.dumps(edge_rows(edge, "ETH"), allow_nan=False))
    assert rows[0]["factor"] is None and rows[0]["no_losses"] is True
    assert rows[0]["words"] == "no losses in 20 trades"
    assert math.isinf(cell_of(edge, "ETH").factor.value or 0.0)


def test_trades_of_one_day_count_as_one_for_the_interval() -> None:
    days = np.random.default_rng(2).normal(0.1, 1.0, 60)
    once = a_table(days)
    many = pl.concat([a_table(days)] * 5).sort("entry_ms")
    alone = cell_of(edge_of(a_pool(ETH=once), ["quick"], BANDS), "ETH")
    copied = cell_of(edge_of(a_pool(ETH=many), ["quick"], BANDS), "ETH")
    assert alone.mean is not None and copied.mean is not None
    assert copied.trades == 5 * alone.trades
    assert copied.mean.low == pytest.approx(alone.mean.low)
    assert bounds(copied.mean_drawn) == pytest.approx(bounds(alone.mean_drawn))


def test_coins_that_differ_by_luck_alone_are_drawn_to_their_common_mean() -> None:
    random = np.random.default_rng(3)
    tables = {f"C{at}": a_table(random.normal(0.2, 1.0, 15), every_ms=DAY_MS + at) for at in range(12)}
    edge = edge_of(a_pool(**tables), ["quick"], BANDS)
    own = [cell_of(edge, symbol) for symbol in edge.symbols]
    raw = np.array([cell.mean_r for cell in own], np.float64)
    shrunk = np.array([cell.shrunk_r for cell in own], np.float64)
    assert np.ptp(shrunk) < 0.5 * np.ptp(raw)
    assert all(cell.own_weight is not None and cell.own_weight < 0.5 for cell in own)
    held = [cell.shrunk.low <= 0.2 <= cell.shrunk.high for cell in own if cell.shrunk is not None]
    assert sum(held) >= 10


def test_a_coin_that_is_truly_different_keeps_its_own_mean() -> None:
    random = np.random.default_rng(4)
    tables = {f"C{at}": a_table(random.normal(0.0, 0.5, 200)) for at in range(11)}
    tables["GOOD"] = a_table(random.normal(1.0, 0.5, 200))
    good = cell_of(edge_of(a_pool(**tables), ["quick"], BANDS), "GOOD")
    assert good.own_weight is not None and good.own_weight > 0.9
    assert good.shrunk_r == pytest.approx(good.mean_r, abs=0.05)


def test_a_coin_without_trades_takes_the_mean_of_all_and_a_wider_interval() -> None:
    random = np.random.default_rng(5)
    tables = {f"C{at}": a_table(random.normal(0.3, 1.0, 40)) for at in range(6)}
    tables["NEW"] = a_table(np.empty(0))
    edge = edge_of(a_pool(**tables), ["quick"], BANDS)
    new = cell_of(edge, "NEW")
    assert new.trades == 0 and new.mean_r is None and new.own_weight == 0.0
    assert new.shrunk_r == pytest.approx(0.3, abs=0.2)
    assert "all coins' mean stands in" in new.words


def test_coins_that_move_together_tell_less_than_so_many_trades() -> None:
    random = np.random.default_rng(6)
    market = random.normal(0.1, 1.0, 50)
    alike = {f"C{at}": a_table(market + random.normal(0, 0.01, 50)) for at in range(8)}
    apart = {f"C{at}": a_table(random.normal(0.1, 1.0, 50)) for at in range(8)}
    widths = []
    for tables in (alike, apart):
        shrunk = cell_of(edge_of(a_pool(**tables), ["quick"], BANDS), "C0").shrunk
        assert shrunk is not None
        widths.append(shrunk.high - shrunk.low)
    assert widths[0] > 1.4 * widths[1]


def test_bands_are_thirds_of_trades_that_were_over_before_the_cut() -> None:
    score = np.concatenate((np.linspace(0.1, 0.4, 90), np.full(60, 0.99)))
    pool = a_pool(ETH=a_table(np.ones(150), score=score))
    cut = START_MS + 90 * DAY_MS
    bands = bands_of(pool, cut)
    assert bands.edges == pytest.approx((0.2, 0.3), abs=0.01)
    assert bands.fitted_before_ms == cut and "before 2020-03-31" in bands.said
    assert np.bincount(bands.place(pool.strength[:90])).tolist() == [30, 30, 30]
    few = bands_of(a_pool(ETH=a_table(np.ones(10))), cut)
    assert few.edges == FIXED_EDGES and "too few" in few.said


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.integers(0, 59))
def test_later_trades_move_no_band(scores: list[float], at: int) -> None:
    cut = START_MS + 100 * DAY_MS
    early = a_table(np.ones(120), score=np.linspace(0.0, 0.9, 120))
    later = a_table(np.ones(len(scores)), score=np.array(scores)).with_columns(
        pl.col("entry_ms") + 200 * DAY_MS, pl.col("closed_ms") + 200 * DAY_MS
    )
    pool = a_pool(ETH=pl.concat((early, later)))
    assert bands_of(pool, cut) == bands_of(a_pool(ETH=early), cut)


def test_the_cut_leaves_a_share_of_the_time_before_it() -> None:
    pool = a_pool(ETH=a_table(np.ones(101), held_ms=0))
    assert cut_of(pool, 0.6) == START_MS + 60 * DAY_MS
    assert cut_of(a_pool(ETH=a_table(np.empty(0))), 0.6) == 0
