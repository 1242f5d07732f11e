"""`chloe why --no-trade`: what blocked, counted, and the bars without a decision."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.reports.blocked import NO_RECORD, Tally, Verdicts, fault_lines, spans_of, tally
from tests.unit.cli.conftest import Run, edit
from tests.unit.cli.terminals import on_terminal

HOUR_MS = 3_600_000
NAMES = (*OWN_GATES, *ACCOUNT_GATES)
FIRST = 500_000  # number of a bar


def of_json(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("why", "--no-trade", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return document


def decided(bar: int, refused: Sequence[str], card: int = 0) -> Verdicts:
    gates = [(name not in refused, 1.0, 2.0) for name in NAMES]
    return Verdicts(open_ms=bar * HOUR_MS, card=card, entered=False, gates=gates)


def fault(bar: int, reason: str) -> dict[str, Any]:
    return {"open_ms": bar * HOUR_MS, "timeframe": "1h", "reason": reason, "detail": "so"}


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sets(st.sampled_from(NAMES)), st.sampled_from([-1, 0])),
        unique_by=lambda bar: bar[0],
    ),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["stale", "late", "config"]))),
)
def test_every_bar_is_counted_once_and_every_gate_by_what_it_said(
    bars: list[tuple[int, set[str], int]], faults: list[tuple[int, str]]
) -> None:
    verdicts = [decided(FIRST + at, tuple(refused), card) for at, refused, card in bars]
    found = tally("ETHUSDT", HOUR_MS, verdicts, [fault(FIRST + at, reason) for at, reason in faults])
    assert found.bars == len(bars)
    for name in NAMES:
        told = sum(name in refused and not (card < 0 and name == "min_notional") for _, refused, card in bars)
        assert (found.blocks[name].bars if name in found.blocks else 0) == told
    assert sum(blocks.alone for blocks in found.blocks.values()) <= found.bars
    seen = {at for at, *_ in bars} | {at for at, _ in faults}
    if seen:
        assert found.bars + found.undecided == max(seen) - min(seen) + 1
    ranked = [blocks.bars for blocks in found.ranked]
    assert ranked == sorted(ranked, reverse=True)


@given(st.sets(st.integers(0, 60)))
def test_spans_hold_the_bars_and_nothing_else(bars: set[int]) -> None:
    spans = spans_of((at * HOUR_MS for at in bars), HOUR_MS)
    held = {at for first, last in spans for at in range(first // HOUR_MS, last // HOUR_MS + 1)}
    assert held == bars
    assert all(later[0] - earlier[1] > HOUR_MS for earlier, later in pairwise(spans))


def test_a_bar_that_was_decided_later_is_no_bar_without_a_decision() -> None:
    faults = [fault(FIRST, "stale"), fault(FIRST + 1, "stale")]
    found = tally("ETHUSDT", HOUR_MS, [decided(FIRST, ())], faults)
    assert found.faults == {"stale": [(FIRST + 1) * HOUR_MS]}


def test_hours_without_any_record_are_told(tmp_path: Path) -> None:
    verdicts = [decided(FIRST, ()), decided(FIRST + 5, ())]
    found: Tally = tally("ETHUSDT", HOUR_MS, verdicts, [fault(FIRST + 1, "stale"), fault(FIRST + 2, "stale")])
    assert found.faults[NO_RECORD] == [(FIRST + 3) * HOUR_MS, (FIRST + 4) * HOUR_MS]
    assert [line.split(":")[0] for line in fault_lines(found)] == ["stale", "no record"]
    assert "2 bars, 2027-01-15 09:00 to 10:00" in fault_lines(found)[0]


def test_the_gates_since_the_last_trade_are_counted_as_their_records_say(traded: Path, run: Run) -> None:
    found = of_json(run, "ETHUSDT", "--since", "2025-11-20")
    bars = json.loads(run("why", "ETHUSDT", "--last", "100", "--json").stdout)["bars"]
    assert found["bars"] == len(bars) == 21 and found["since"] == "asked for"
    for gate in found["gates"]:
        said = [
            bar
            for bar in bars
            for each in (*bar["gates"], *bar["allocation"])
            if each["name"] == gate["name"] and not each["passed"]
        ]
        assert gate["bars"] == len(said) and gate["example"]["open_ms"] == said[-1]["open_ms"]
    assert found["gates"][0]["name"] == "one_position"
    shown = run("why", "ETHUSDT", "--no-trade", "--since", "2025-11-20").stdout
    assert "21 bars decided" in shown and "for example 2025-11-26" in shown
    assert "one_position, it saw 1" in shown


def test_without_a_time_it_counts_since_the_last_entry_or_exit(traded: Path, run: Run) -> None:
    last = json.loads(run("trades", "--symbol", "ETHUSDT", "--json", "--limit", "1").stdout)["trades"][0]
    found = of_json(run, "ETHUSDT")
    assert found["since"] in ("last trade", "last entry")
    assert found["since_ms"] >= last["exit_ms"] - HOUR_MS
    assert found["first_open_ms"] == found["since_ms"]


def test_a_halt_shows_as_the_gate_that_blocks(traded: Path, run: Run) -> None:
    run("halt", "--reason", "sick exchange")
    for hour in range(11, 17):
        run("tick", "--now", f"2025-11-26T{hour}:00:30")
    found = of_json(run, "BTCUSDT", "--since", "2025-11-26T11:00")
    assert "not_halted" in {gate["name"] for gate in found["gates"]}
    shown = run("why", "BTCUSDT", "--no-trade", "--since", "2025-11-26T11:00").stdout
    assert "not_halted" in shown


def test_hours_an_engine_did_not_run_are_named(traded: Path, run: Run) -> None:
    file = traded / "config" / "asset_registry.json"
    text = file.read_text()
    file.write_text(text.replace('"risk_bucket": "core"', '"risk_bucket": "cor"', 1))
    for hour in (11, 12):
        assert run("tick", "--now", f"2025-11-26T{hour}:00:30").exit_code == 3
    file.write_text(text)
    shown = run("why", "ETHUSDT", "--no-trade", "--since", "2025-11-26T05:00").stdout
    assert "without a decision" in shown and "config: " in shown


def test_every_coin_has_a_row(traded: Path, run: Run) -> None:
    found = of_json(run, "--all")
    assert [each["symbol"] for each in found["assets"]] == ["ETHUSDT", "BTCUSDT"]
    shown = run("why", "--all", "--no-trade").stdout
    assert all(f"\n{symbol}  2025-11-26" in shown for symbol in ("ETHUSDT", "BTCUSDT"))
    code, narrow = on_terminal(traded, 80, 24, "why", "--all", "--no-trade")
    assert code == 0 and max(map(len, narrow.splitlines()[2:])) <= 80


def test_a_coin_that_never_traded_is_counted_from_its_first_decision(home: Path, run: Run) -> None:
    edit(home / "config" / "parameters" / "default.json", confidence_min=1.0)
    for hour in range(3):
        run("tick", "--now", f"2025-11-25T{hour:02}:00:30")
    shown = run("why", "ETHUSDT", "--no-trade").stdout
    assert "its first decision, and it has not traded yet: 3 bars decided" in shown
    assert of_json(run, "ETHUSDT")["gates"][0]["share_frac"] == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--all"],
        ["ETHUSDT", "--all", "--no-trade"],
        ["ETHUSDT", "--since", "2025-11-25"],
        ["ETHUSDT", "--last", "3", "--no-trade"],
        ["ETHUSDT", "--no-trade", "--since", "yesterday"],
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_refused(wrong: list[str], traded: Path, run: Run) -> None:
    result = run("why", *wrong)
    assert result.exit_code == 2 and result.stderr.strip()
