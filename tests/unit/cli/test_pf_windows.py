"""`chloe pf`: windows side by side, and filters."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.reports.factors import SPANS_DAYS, grouped, net_factor, windows_of, windows_table
from engine_alpha.reports.table import plain_lines, table_width
from tests.unit.cli.conftest import LAST_NOW, Run
from tests.unit.cli.terminals import on_terminal

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000

TRADES = st.lists(
    st.builds(
        lambda symbol, card, hours, net: {
            "symbol": symbol,
            "card": card,
            "regime": "chop",
            "exit_ms": NOW_MS - hours * HOUR_MS,
            "net_quote": net,
        },
        st.sampled_from(["ETHUSDT", "BTCUSDT", "SOLUSDT"]),
        st.sampled_from(["one", "two"]),
        st.integers(0, 24 * 120),
        st.integers(-5_000, 5_000).map(lambda cents: cents / 100),
    ),
    max_size=60,
)


@given(TRADES, st.integers(1, 70), st.sampled_from(["asset", "card", "regime"]))
def test_the_groups_of_a_window_add_up_to_the_whole(trades: list[dict[str, Any]], last: int, by: str) -> None:
    whole = windows_of(trades, last, NOW_MS)
    parts = [windows_of(of_group, last, NOW_MS) for _, of_group in grouped(trades, by, ["ETHUSDT"])]
    for window in ("all", *(f"{days} d" for days in SPANS_DAYS)):
        total, each = net_factor(whole[window]), [net_factor(part[window]) for part in parts]
        assert total.trades == sum(one.trades for one in each)
        assert total.gross_profit_quote == pytest.approx(sum(one.gross_profit_quote for one in each))
        assert total.gross_loss_quote == pytest.approx(sum(one.gross_loss_quote for one in each))
    assert len(whole[f"last {last}"]) == min(last, len(trades))
    sizes = [len(whole[f"{days} d"]) for days in SPANS_DAYS]
    assert sizes == sorted(sizes) and sizes[-1] <= len(trades)


@given(TRADES)
def test_a_narrow_screen_gets_the_windows_without_intervals(trades: list[dict[str, Any]]) -> None:
    groups = [(name, windows_of(found, 50, NOW_MS)) for name, found in grouped(trades, "asset", ["ETHUSDT"])]
    wide = windows_table(groups, "asset", None)
    assert windows_table(groups, "asset", table_width(wide)) == wide
    narrow = windows_table(groups, "asset", table_width(wide) - 1)
    assert "[" not in "".join(plain_lines(narrow))
    assert [row[0] for row in narrow.rows] == [row[0] for row in wide.rows]


def test_windows_stand_side_by_side_with_n(traded: Path, run: Run) -> None:
    shown = run("pf", "--windows", "--last", "3", "--now", LAST_NOW).stdout
    head = next(line for line in shown.splitlines() if line.startswith("asset"))
    assert head.split() == ["asset", "all", "last", "3", "7", "d", "30", "d", "90", "d"]
    found = json.loads(run("pf", "--windows", "--last", "3", "--now", LAST_NOW, "--json").stdout)
    assert list(found["all"]["windows"]) == ["all", "last_3", "7_d", "30_d", "90_d"]
    assert found["all"]["windows"]["last_3"]["n"] == 3
    whole = json.loads(run("pf", "--json").stdout)["all"]["net"]
    assert found["all"]["windows"]["all"] == whole == found["all"]["windows"]["7_d"]
    assert sum(group["windows"]["all"]["n"] for group in found["groups"]) == whole["n"]


def test_a_window_without_trades_is_unknown(traded: Path, run: Run) -> None:
    shown = run("pf", "--windows", "--now", "2026-02-01").stdout
    row = next(line for line in shown.splitlines() if line.startswith("ETHUSDT"))
    assert row.count("unknown") == 2  # 7 and 30 days; 90 days hold them
    found = json.loads(run("pf", "--windows", "--now", "2026-02-01", "--json").stdout)
    assert found["all"]["windows"]["30_d"]["value"] is None and found["all"]["windows"]["90_d"]["n"] > 0


def test_one_coin_by_card_and_regime(traded: Path, run: Run) -> None:
    for by in ("card", "regime"):
        found = json.loads(run("pf", "--symbol", "ETHUSDT", "--by", by, "--json").stdout)
        listed = json.loads(run("trades", "--symbol", "ETHUSDT", "--json").stdout)["trades"]
        assert found["all"]["net"]["n"] == len(listed) > 0
    result = run("pf", "--symbol", "ETHUSD")
    assert result.exit_code == 2 and "did you mean ETHUSDT?" in result.stderr


def test_windows_and_days_do_not_go_together(traded: Path, run: Run) -> None:
    assert run("pf", "--windows", "--days", "7").exit_code == 2


@pytest.mark.parametrize("arguments", [["pf"], ["pf", "--windows"], ["trades"]], ids=" ".join)
def test_tables_fit_on_eighty_columns_without_a_cut_word(arguments: list[str], traded: Path) -> None:
    code, shown = on_terminal(traded, 80, 24, *arguments)
    table = [line for line in shown.splitlines() if line.startswith(("asset", "ETHUSDT", "all"))]
    assert code == 0 and len(table) >= 2
    assert max(map(len, table)) <= 80 and "…" not in "".join(table)
