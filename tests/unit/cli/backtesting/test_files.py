"""What `chloe backtest --out` writes: a whole result or nothing, and nobody else's folder is touched."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

import polars as pl

from engine_alpha.backtest.files import NAMES, write_result
from engine_alpha.errors import ConfigError
from engine_alpha.reports.run import TradeRow
from tests.unit.cli.backtesting.playing import played
from tests.unit.cli.backtesting.scenes import ROOT, asked, with_machine_code
from tests.unit.cli.conftest import Run


def test_a_folder_gets_result_trades_equity_and_page_that_agree(stored: Path, eager: Path, run: Run) -> None:
    folder = eager.parent / "runs" / "first"
    result = run("backtest", *asked(stored, eager), "--out", str(folder), "--html")
    assert result.exit_code == 0 and result.stdout.endswith(
        f"wrote {folder}\nwrote {folder / 'report.html'}\n"
    )
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    trades, equity = pl.read_parquet(folder / "trades.parquet"), pl.read_parquet(folder / "equity.parquet")
    assert trades.columns == list(TradeRow.__dataclass_fields__)
    assert len(trades) == document["trades"] > 20
    assert trades["net_quote"].sum() == pytest.approx(document["whole"]["net_quote"])
    assert equity.columns == ["time_ms", "equity_quote", "notional_quote"]
    assert len(equity) == 60 and equity["equity_quote"][-1] == document["equity_quote"]
    for name, frame in (("trades.csv", trades), ("equity.csv", equity)):
        assert pl.read_csv(folder / name, schema=frame.schema).equals(frame)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<title>backtest of ETHUSDT, BTCUSDT · Chloe</title>" in page


def test_an_earlier_result_is_replaced_as_a_whole(stored: Path, eager: Path, run: Run) -> None:
    folder = eager.parent / "first"
    folder.mkdir()
    run("backtest", *asked(stored, eager), "--out", str(folder), "--html")
    before = (folder / "result.json").read_bytes()
    assert run("backtest", *asked(stored, eager, hours=30), "--out", str(folder)).exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(set(NAMES) - {"report.html"})
    assert (folder / "result.json").read_bytes() != before
    assert [path.name for path in folder.parent.iterdir() if "first" in path.name] == ["first"]


def test_what_no_backtest_wrote_is_left_alone_before_anything_runs(
    stored: Path, eager: Path, run: Run
) -> None:
    """The data folder is absent, so that a run would say something else."""
    words = ["backtest", *asked(eager.parent / "nothing", eager), "--out"]
    result = run(*words, str(eager))
    assert result.exit_code == 2 and "is no earlier result (it holds config)" in result.stderr
    notes = eager.parent / "notes"
    notes.mkdir()
    (notes / "result.json").write_text('{"mine": true}', encoding="utf-8")
    assert "is none of chloe backtest" in run(*words, str(notes)).stderr
    assert "is no folder" in run(*words, str(notes / "result.json")).stderr
    assert (notes / "result.json").read_text(encoding="utf-8") == '{"mine": true}'


def test_a_result_that_can_not_be_written_leaves_the_earlier_one(stored: Path, eager: Path) -> None:
    result, folder = played(stored, eager), eager.parent / "first"
    write_result(folder, {"decisions": 1}, result, None)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match="Out of range float"):
        write_result(folder, {"decisions": float("nan")}, result, None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(ConfigError, match="can't be written"):
        write_result(folder / "result.json" / "deeper", {}, result, None)
    assert {path.name for path in folder.parent.iterdir() if "first" in path.name} == {"first"}


def test_stopped_while_it_writes_it_leaves_a_whole_result_or_nothing(stored: Path, eager: Path) -> None:
    parent = eager.parent / "runs"
    parent.mkdir()
    words = ["backtest", *asked(stored, eager, hours=600), "--out", str(parent / "first"), "--html"]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine_alpha", *words],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=with_machine_code(),
    )  # fmt: skip
    while process.poll() is None and not os.listdir(parent):
        pass
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    found = sorted(path.name for path in parent.iterdir())
    assert process.returncode in (0, 130, -signal.SIGINT), complaint  # it may come after everything is done
    assert "Traceback" not in complaint
    assert found in ([], ["first"])
    if found:
        assert sorted(path.name for path in (parent / "first").iterdir()) == sorted(NAMES)
    else:
        assert complaint.endswith("stopped; nothing was written\n")
