"""A run's tables, lines and JSON: what is undefined is said, costs stand apart, nothing is hidden."""

import json
from dataclasses import replace

import numpy as np

from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES, REGIMES
from engine_alpha.reports.backtest import (
    WIDE,
    account_lines,
    blocked_table,
    statistics_fields,
    summary_tables,
)
from engine_alpha.reports.page import page_of
from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import statistics_of
from engine_alpha.reports.table import plain_lines
from engine_alpha.reports.terms import GATE_WORDS, REGIME_WORDS
from tests.unit.reports.runs import DAY_MS, FROM_MS, empty_run, random_run, trade, trades_of


def lines_of(run: Run) -> str:
    return "\n".join(account_lines(run, statistics_of(run)))


def test_a_table_by_coin_card_and_regime_each_sums_up_to_the_same_last_row() -> None:
    tables = summary_tables(statistics_of(random_run(("A", "B"), 2_000)))
    assert [table.columns[0].name for table in tables] == ["coin", "card", "regime"]
    last_rows = {table.rows[-1] for table in tables}
    assert len(last_rows) == 1 and tables[0].rows[0][0] == "A"
    assert all(len(line) <= WIDE for table in tables for line in plain_lines(table))


def test_on_a_narrow_terminal_the_tables_have_fewer_columns_and_no_number_is_cut() -> None:
    found = statistics_of(random_run(("A", "B"), 2_000))
    for narrow, whole in zip(summary_tables(found, wide=False), summary_tables(found), strict=True):
        assert max(len(line) for line in plain_lines(narrow)) <= 80
        assert narrow.columns == whole.columns[: len(narrow.columns)]
        assert narrow.rows == tuple(row[: len(narrow.columns)] for row in whole.rows)


def test_costs_are_told_one_by_one_between_the_result_before_them_and_the_net_one() -> None:
    run = empty_run(trades=(trade(),))
    assert "+11.10 before costs; slippage -0.10, fees -0.80, funding -0.20; +10.00 net" in lines_of(run)


def test_ambiguous_bars_are_told_with_the_factor_under_the_other_order() -> None:
    won = trade(net_quote=-8.0, ambiguous=1, other_net_quote=10.0)
    told = lines_of(empty_run(trades=(won, trade(net_quote=-4.0, other_net_quote=-4.0))))
    assert "1 bar held stop and target both; the stop counts: PF 0.00 (n=2); PF 2.50 (n=2)" in told
    assert "0 bars held stop and target both" in lines_of(empty_run())


def test_unknown_funding_missing_decisions_and_notes_are_told() -> None:
    told = lines_of(
        empty_run(
            funding_unknown_bars=3,
            no_decisions=(("ETHUSDT", "stale", 2), ("BTCUSDT", "frozen", 1)),
            notes=("half of it is missing",),
        )
    )
    assert "unknown and counted as 0 on 3 bars in a position" in told
    assert "ETHUSDT: no decision on 2 bars: stale (the bar is not there)\n" in told
    assert "BTCUSDT: no decision on 1 bar: frozen (the price stands still without volume)" in told
    assert "note: half of it is missing" in told


def test_a_drawdown_that_is_not_over_says_so() -> None:
    times = FROM_MS + DAY_MS * np.arange(1, 4)
    run = empty_run(
        times_ms=times, equity_quote=np.array([11_000.0, 9_900.0, 10_000.0]), notional_quote=np.zeros(3)
    )
    assert "10.0 %, 1,100.00; 2.0 days from 2023-01-02, not over yet" in lines_of(run)
    assert "+0.0 %" not in lines_of(run) and "-0.0 %" not in lines_of(run)


def test_a_run_without_anything_has_dashes_and_no_numbers_that_look_earned() -> None:
    found = statistics_of(empty_run())
    assert blocked_table(found) is None
    assert [table.rows[-1][:3] for table in summary_tables(found)] == [("all", "0", "unknown")] * 3
    assert "max drawdown   none" in lines_of(empty_run())
    assert "Sharpe         –" in lines_of(empty_run())


def test_blocked_entries_are_counted_in_words() -> None:
    table = blocked_table(statistics_of(random_run(("A",), 600)))
    assert table is not None
    assert table.rows[0][0] == OWN_GATES[12] and table.rows[0][1] == "20"
    assert "already in a position" in table.rows[0][-1]


def test_every_gate_and_regime_of_the_kernel_has_plain_words() -> None:
    assert set(GATE_WORDS) == {*OWN_GATES, *ACCOUNT_GATES}
    assert tuple(REGIME_WORDS) == REGIMES


def test_json_has_every_number_and_no_nan() -> None:
    for run in (empty_run(), random_run(("A", "B"), 1_000), empty_run(trades=trades_of([5.0, 3.0]))):
        fields = json.loads(json.dumps(statistics_fields(statistics_of(run)), allow_nan=False))
        assert fields["whole"]["net"]["n"] == len(run.trades)
    assert fields["whole"]["net"]["value"] == "inf" and fields["account"]["sharpe"] is None
    assert fields["account"]["drawdown"]["days"] == 0.0


def test_a_coin_may_have_no_bars_at_all() -> None:
    coin = random_run(("A",), 100).coins[0]
    names = ("open_ms", "open", "high", "low", "close", "regime", "side", "equity_quote")
    bare = replace(coin, **{name: getattr(coin, name)[:0] for name in names})
    run = empty_run(coins=(bare,))
    assert 'id="coin-chart"' not in page_of(run, statistics_of(run))
