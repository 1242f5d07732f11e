"""Confidence as a chance: fitted on what was over, judged on what came later, proposed where it helps."""

import json

import numpy as np
import polars as pl
import pytest

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.edge.calibrating import (
    LEAST_OWN,
    OTHERS_WEIGHT,
    Fitted,
    calibration_fields,
    calibration_of,
)
from engine_alpha.research.edge.trades import DAY_MS, cut_of
from engine_alpha.research.statistics.calibration import brier, isotonic
from tests.unit.research.edge.pools import START_MS, a_pool, a_table, told


def coins(slope: float, own: int = 400, others: int = 400) -> dict[str, pl.DataFrame]:
    tables = {"ETH": a_table(*told(own, 1, slope))}
    tables |= {f"C{at}": a_table(*told(others, 10 + at, slope)) for at in range(4)}
    return tables


def test_a_confidence_that_tells_is_found_and_rises() -> None:
    pool = a_pool(**coins(slope=0.9))
    found = calibration_of(pool, "ETH")
    assert found.proposed and found.judged is not None and found.fitted is not None
    assert found.judged.skill.against_test is not None and found.judged.skill.against_test > 0.1
    assert found.fitted.curve.at(np.array([0.1, 0.5, 0.9])) == pytest.approx([0.14, 0.5, 0.86], abs=0.12)
    assert list(found.rows) == sorted(found.rows) and len(found.rows) <= 16
    assert found.judged.calibration_error < 0.12
    assert sum(each.trades for each in found.judged.bins) == found.judged.trades


def test_a_confidence_that_tells_nothing_is_not_proposed() -> None:
    proposed = [calibration_of(a_pool(ETH=a_table(*told(600, seed, 0.0))), "ETH") for seed in range(20)]
    assert sum(each.proposed for each in proposed) <= 2
    none = next(each for each in proposed if not each.proposed)
    assert none.rows == () and none.words.startswith("none: on ")
    assert none.judged is not None  # what was measured is told all the same


def test_too_few_trades_are_said_in_a_sentence() -> None:
    few = calibration_of(a_pool(ETH=a_table(*told(60, 1))), "ETH")
    assert not few.proposed and few.fitted is None
    assert "too few trades before 2020-02-05 00:00 to fit on: 35 own and 0 of other coins" in few.words
    tables = coins(slope=0.9, own=LEAST_OWN - 1)
    later = tables["ETH"].with_columns(pl.col("entry_ms") + 300 * DAY_MS, pl.col("closed_ms") + 300 * DAY_MS)
    young = calibration_of(a_pool(**{**tables, "ETH": later}), "ETH")
    assert not young.proposed and "too few trades of its own" in young.words


def test_the_fit_is_over_before_the_first_judged_decision() -> None:
    tables = coins(slope=0.9)
    straddling = tables["ETH"].with_columns(pl.col("closed_ms") + 30 * DAY_MS)
    pool = a_pool(**{**tables, "ETH": straddling})
    found = calibration_of(pool, "ETH")
    assert found.fitted is not None and found.judged is not None
    assert found.fitted.end_ms < found.cut_ms <= found.fitted.judged_from_ms
    own = pool.asset == 0
    assert found.fitted.trades_own == int((own & (pool.known_ms < found.cut_ms)).sum())
    assert found.judged.trades == int((own & (pool.decided_ms >= found.cut_ms)).sum())
    assert found.fitted.trades_own + found.judged.trades < int(own.sum())  # what straddles the cut is neither


def test_a_fit_that_would_know_the_future_breaks_the_promise() -> None:
    curve = isotonic(np.array([0.1, 0.9]), np.array([0.0, 1.0]))
    with pytest.raises(BrokenPromise):
        Fitted(
            curve=curve,
            trades_own=2,
            trades_others=0,
            won_frac=0.5,
            end_ms=START_MS + 1,
            judged_from_ms=START_MS,
        )


def test_later_trades_change_no_curve() -> None:
    tables = coins(slope=0.9)
    cut = cut_of(a_pool(**tables), 0.6)
    found = calibration_of(a_pool(**tables), "ETH", cut)
    random = np.random.default_rng(9)
    shuffled = {
        name: table.with_columns(
            pl.when(pl.col("closed_ms") >= cut).then(pl.Series(random.permutation(table["r"]))).otherwise("r")
            .alias("r")
        )
        for name, table in tables.items()
    }  # fmt: skip
    other = calibration_of(a_pool(**shuffled), "ETH", cut)
    assert found.fitted == other.fitted
    assert found.judged != other.judged


def test_other_coins_count_a_quarter() -> None:
    tables = coins(slope=0.9)
    pool = a_pool(**tables)
    found = calibration_of(pool, "ETH")
    assert found.fitted is not None
    earlier = pool.known_ms < found.cut_ms
    won = (pool.r[earlier] > 0.0).astype(np.float64)
    weights = np.where(pool.asset[earlier] == 0, 1.0, OTHERS_WEIGHT)
    assert found.fitted.curve == isotonic(pool.strength[earlier], won, weights)
    assert found.fitted.won_frac == pytest.approx(float(np.average(won, weights=weights)))


def test_the_score_is_the_brier_score_of_the_later_trades() -> None:
    pool = a_pool(**coins(slope=0.9))
    found = calibration_of(pool, "ETH")
    assert found.fitted is not None and found.judged is not None
    later = (pool.asset == 0) & (pool.decided_ms >= found.cut_ms)
    said = found.fitted.curve.at(pool.strength[later])
    assert found.judged.skill.brier == brier(said, (pool.r[later] > 0.0).astype(np.float64))


def test_trades_that_all_end_alike_tell_no_confidence() -> None:
    r, score = told(400, 1)
    found = calibration_of(a_pool(ETH=a_table(np.ones(400), score=score)), "ETH")
    assert not found.proposed and "ended alike" in found.words
    assert len(r) == 400


def test_fields_are_json() -> None:
    pool = a_pool(**coins(slope=0.9))
    fields = json.loads(json.dumps(calibration_fields(calibration_of(pool, "ETH")), allow_nan=False))
    assert fields["proposed"] and fields["fit"]["others_weight"] == 0.25
    assert fields["judged"]["skill"]["brier"] > 0.0
    few = calibration_fields(calibration_of(a_pool(ETH=a_table(*told(60, 1))), "ETH"))
    assert few["rows"] is None and few["judged"] is None
