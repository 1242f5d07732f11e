"""`chloe backtest`: what it prints, that it is the rehearsal, how quick it is; the lesson on the library."""

import re
import resource
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest import BacktestResult
from engine_alpha.backtest.compiling import is_cached
from engine_alpha.backtest.loop import REASONS
from engine_alpha.cli.compiling import WORDS, run_shown
from engine_alpha.reports.backtest import REASON_WORDS
from engine_alpha.reports.run import RunCoin, TradeRow
from tests.unit.cli.backtesting.playing import played
from tests.unit.cli.backtesting.scenes import (
    ORIGINAL_CACHE,
    PAIR,
    ROOT,
    asked,
    of_json,
    with_machine_code,
)
from tests.unit.cli.conftest import Run, edit
from tests.unit.loop.runs import SYMBOLS

SAME_AS_REHEARSED = ("decisions", "no_decisions", "trades", "decisions_sha256", "ledger_sha256", "simulated")
COMMAND_CPU_S = 2.5


def test_it_comes_to_the_digests_and_factors_of_a_rehearsal(stored: Path, eager: Path, run: Run) -> None:
    words = asked(stored, eager)
    rehearsed, found = of_json(run, ["rehearse", *words]), of_json(run, ["backtest", *words])
    assert {key: found[key] for key in SAME_AS_REHEARSED} == {
        key: rehearsed[key] for key in SAME_AS_REHEARSED
    }
    assert found["decisions"] == 120 and found["trades"] > 20
    for symbol in PAIR:
        assert found["per_coin"][symbol]["net"] == rehearsed["per_coin"][symbol]
    assert found["equity_quote"] == rehearsed["equity_quote"] == found["account"]["end_quote"]
    assert found["bars"] == 120 and found["bars_per_second"] > 0
    assert found["seconds"] == pytest.approx(120 / found["bars_per_second"], rel=0.1, abs=1e-4)


def test_the_summary_is_by_coin_card_regime_and_account_with_what_blocked_entries(
    stored: Path, eager: Path, run: Run
) -> None:
    shown = run("backtest", *asked(stored, eager), "--digests").stdout
    found = of_json(run, ["backtest", *asked(stored, eager)])
    assert shown.startswith(f"backtest of bybit bars from {stored}, 2023-10-28 08:00 to 2023-10-30 20:00\n")
    heads = [line.split()[0] for line in shown.splitlines() if "95 % interval" in line]
    assert heads == ["coin", "card", "regime"]
    assert "\neager " in shown and "\none_position " in shown and "\nmax drawdown " in shown
    assert f"\ntrades            {found['trades']}\n" in shown
    assert f"\ndecisions_sha256  {found['decisions_sha256']}\n" in shown
    assert f"\nledger_sha256     {found['ledger_sha256']}\n" in shown
    assert "\ndecisions         120 in " in shown


def test_without_digests_it_shows_the_same_but_for_what_gates_said_where_no_card_fired(
    stored: Path, home: Path, run: Run
) -> None:
    words = ["backtest", *asked(stored, home, hours=600)]
    quick, whole = run(*words).stdout.splitlines(), run(*words, "--digests").stdout.splitlines()
    assert "digests    not taken; with --digests, to compare with chloe rehearse" in quick
    begin, end = (
        next(place for place, line in enumerate(whole) if line.startswith(start))
        for start in ("gate ", "equity")
    )
    assert end - begin > 3
    assert quick[:begin] == whole[:begin]
    for ours, theirs in zip(quick[begin : end - 1], whole[begin : end - 1], strict=True):
        assert ours.split()[:3] == theirs.split()[:3]
    closing = next(place for place, line in enumerate(whole) if line.startswith("decisions "))
    assert quick[end:closing] == whole[end:closing]


def test_a_page_without_a_folder_goes_to_the_reports_of_the_home(stored: Path, eager: Path, run: Run) -> None:
    found = of_json(run, ["backtest", *asked(stored, eager), "--html"])
    path = Path(found["report"])
    assert path == eager / "reports" / f"backtest-{found['decisions_sha256'][:12]}.html"
    assert "<title>backtest of ETHUSDT, BTCUSDT · Chloe</title>" in path.read_text(encoding="utf-8")
    assert of_json(run, ["backtest", *asked(stored, eager)])["report"] is None


def test_cards_limits_and_detail_stand_in_for_those_of_the_home(stored: Path, eager: Path, run: Run) -> None:
    words = ["backtest", *asked(stored, eager)]
    none, poor = eager.parent / "none", eager.parent / "risk.json"
    none.mkdir()
    assert of_json(run, [*words, "--cards", str(none)])["trades"] == 0
    poor.write_bytes((eager / "config" / "risk.json").read_bytes())
    edit(poor, equity_quote=5_000.0)
    found = of_json(run, [*words, "--risk", str(poor), "--detail", "1m"])
    assert found["account"]["start_quote"] == 5_000.0
    assert (found["risk"], found["detail"], found["cards"]) == (str(poor), "1m", None)
    assert run(*words, "--detail", "2m").exit_code == 2


def test_every_reason_for_no_decision_has_words() -> None:
    assert set(REASONS) <= set(REASON_WORDS)


def test_the_first_run_says_what_takes_so_long_and_later_ones_do_not(
    stored: Path, eager: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_shown("backtesting 1 coin", "ticks") as progress:
        progress(1, 1)
    assert capsys.readouterr().err == f"{WORDS}\n"
    monkeypatch.delenv("XDG_CACHE_HOME")
    for name, value in ORIGINAL_CACHE.items():
        monkeypatch.setenv(name, value)
    played(stored, eager)
    assert is_cached()
    with run_shown("backtesting 1 coin", "ticks") as progress:
        progress(1, 1)
    assert capsys.readouterr().err == ""


def test_it_loads_nothing_that_a_table_does_not_need() -> None:
    heavy = "('ccxt', 'sqlalchemy', 'rich', 'engine_alpha.reports.page', 'optuna', 'aiohttp')"
    text = (
        "import sys, engine_alpha.cli.backtest; early = [m for m in ('numba', 'polars') if m in sys.modules];"
        "import engine_alpha.backtest, engine_alpha.reports.statistics, engine_alpha.reports.backtest;"
        f"print(early, [m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


@pytest.mark.slow
def test_twelve_coins_and_three_years_take_two_and_a_half_seconds_as_a_whole_process(
    shared_data: Path, home: Path
) -> None:
    """Processor time of the second process: it does not depend on what else the machine does."""
    words = ["--data", str(shared_data), "--venue", "BINANCEUM", "--symbols", ",".join(SYMBOLS)]
    words += ["--from", "2021-01-01", "--to", "2024-01-01", "--home", str(home)]
    taken = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "engine_alpha", "backtest", *words],
            cwd=ROOT, capture_output=True, text=True, env=with_machine_code(),
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0 and "\ndecisions  315,360 in " in done.stdout, done.stderr
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert taken[1] <= COMMAND_CPU_S


def test_the_lesson_on_the_library_runs_and_prints_lines_as_its_page_shows() -> None:
    """Numbers may be others: they follow the kernel."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "docs/tutorial/backtest.py"],
        cwd=ROOT, capture_output=True, text=True, env=with_machine_code(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "tutorial" / "backtest.md").read_text(encoding="utf-8")
    shown = page.split("```text\n")[1].split("```")[0]
    assert without_numbers(done.stdout) == without_numbers(shown)


def without_numbers(text: str) -> list[str]:
    return re.sub(r"[0-9a-f]{64}|-?[0-9][0-9,.]*", "#", re.sub(" +", " ", text)).splitlines()


@pytest.mark.parametrize("kind", [BacktestResult, RunCoin, TradeRow])
def test_the_lesson_names_every_field_that_comes_back(kind: type) -> None:
    page = (ROOT / "docs" / "tutorial" / "backtest.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page.split(f"### `{kind.__name__}`")[1].split("\n### ")[0]))
    assert {field.name for field in fields(kind)} - named == set()
