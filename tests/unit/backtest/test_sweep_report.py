"""The words and tables of a sweep."""

import re
from dataclasses import replace

import pytest

from engine_alpha.backtest.sweeping.outcome import OBJECTIVES as NUMBERS
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.reports.sweep import (
    OBJECTIVES,
    Luck,
    SweepRow,
    best_table,
    ledger_lines,
    ledger_table,
    luck_lines,
    plateau_line,
    shortened,
    value_text,
)
from engine_alpha.reports.table import plain_lines

ROW = SweepRow(
    values=("6", "0.5"),
    factor=profit_factor([2.0, 2.0, -1.0, -1.0, -0.5] * 10),
    per_coin={
        "ETHUSDT": profit_factor([2.0, -1.0]),
        "BTCUSDT": profit_factor([1.0, -2.0]),
        "DOGEUSDT": profit_factor([]),
    },
    sharpe=1.234,
    max_drawdown_frac=0.085,
    neighbours=4,
    median_factor=1.5,
    least_factor=0.9,
)


def test_every_objective_has_words_and_a_number() -> None:
    assert set(OBJECTIVES) == set(NUMBERS)


def test_the_table_has_the_values_and_what_they_came_to() -> None:
    head, row = plain_lines(best_table(["exits.stop.range", "entry[0].at_least"], [ROW]))
    assert head.split("  ")[0] == "exits.stop.range"
    for cell in ("1.60", "+15.00", "1.23", "8.5 %", "1 of 2", "0.50 – 2.00", "1.50 (least 0.90, n=4)"):
        assert cell in row, cell


def test_keys_lose_their_document_where_all_have_the_same() -> None:
    assert shortened(["a:exits.stop.range", "a:entry[0].at_least"]) == [
        "exits.stop.range",
        "entry[0].at_least",
    ]
    assert shortened(["a:exits.stop.range", "risk:risk_frac"]) == ["a:exits.stop.range", "risk:risk_frac"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), (4, "4"), (0.1, "0.1"), ("long", "long"), (1e-5, "1e-05")],
)
def test_values_are_shown_as_they_are_typed(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_best_trial_below_luck_is_called_so() -> None:
    lines = luck_lines(ROW, Luck(documents=("a", "risk"), trials=343, factor=1.62, deflated_sharpe=0.43), 49)
    assert lines[0].startswith("343 trials of a and risk on these coins were ever run (49 of them now): ")
    assert lines[0].endswith("expected at PF 1.62; the best here has 1.60: NO MORE THAN LUCK GIVES")
    assert lines[1].startswith("deflated Sharpe 0.43: ") and lines[1].endswith("; 0.95 would be evidence")


def test_a_best_trial_above_luck_is_not_praised_for_it() -> None:
    lines = luck_lines(ROW, Luck(documents=("a", "risk"), trials=10, factor=1.36, deflated_sharpe=0.97), 10)
    assert lines[0].startswith("10 trials of a and risk on these coins were ever run (all of them now): ")
    assert lines[0].endswith("the best here has 1.60, above that")
    assert "evidence" not in lines[1]


def test_without_an_interval_nothing_is_said_of_luck() -> None:
    none = replace(ROW, factor=profit_factor([]))
    (line,) = luck_lines(none, Luck(documents=("a", "risk"), trials=3, factor=None, deflated_sharpe=None), 3)
    assert line.endswith("nothing can be said of luck")


def test_the_plateau_is_said_or_its_absence() -> None:
    assert plateau_line(ROW) == "round the best one: 4 neighbours, PF 1.50 in the middle, 0.90 least"
    assert plateau_line(replace(ROW, median_factor=None, least_factor=None)).endswith("is unknown")


def test_a_reset_is_said_for_ever() -> None:
    assert ledger_lines(10, 0, 0) == ["10 trials in this home's ledger"]
    said = ledger_lines(350, 340, 1)
    assert said[0] == "350 trials in this home's ledger" and "WAS RESET once: 340 trials" in said[1]
    assert "RESET 2 times" in ledger_lines(350, 340, 2)[1]


def test_the_ledger_table_sums_up_many_coins() -> None:
    group = {
        "documents": ["momentum-long", "risk"],
        "venue": "BINANCEUM",
        "symbols": ["SOLUSDT", "BTCUSDT", "ETHUSDT", "ADAUSDT"],
        "from_ms": 1_609_459_200_000,
        "to_ms": 1_704_067_200_000,
        "trials": 343,
        "finished": 340,
        "studies": 2,
        "first_at_ms": 0,
        "last_at_ms": 1_700_000_000_000,
    }
    (_, row) = plain_lines(ledger_table([group]))
    assert re.split(r"\s{2,}", row) == [
        "momentum-long, risk", "BINANCEUM", "ADAUSDT and 3 more", "2021-01-01", "2024-01-01",
        "2", "343", "3", "2023-11-14 22:13",
    ]  # fmt: skip
