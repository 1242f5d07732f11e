"""Run Chloe and five other engines on the same bars and rules, one after the other, and compare.

    python -m benchmarks.peers                 seeded bars, without and with opening gaps
    python -m benchmarks.peers --data DIR      three years of real candles: DIR/candles/BINANCEUM_*_1h.parquet
    python -m benchmarks.peers --sweep         100 stops and targets: vectorbt and Chloe

Each engine is installed once into an environment of its own (--cache) and is no dependency of Chloe. "first"
is the first run with compiling, "warm" the median of three more (one where a run takes over ten seconds):
indicators and simulation, the bars at hand in the engine's own form. "whole" is a run as its user starts it,
reading and report too, where that differs. "loop" is a fixed Python loop timed before and after: compare rows
only where it is alike. Trades are compared with a reference in plain Python, every difference by its rule.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.live import calibration_ms
from benchmarks.peers.bars import real_bars, seeded_bars
from benchmarks.peers.compare import compared
from benchmarks.peers.environments import CACHE, CHLOE, RECIPES, Unavailable, interpreter_for
from benchmarks.peers.reference import reference_trades
from benchmarks.peers.runners.contract import PeerBars, PeerTrade, Rules, write_bars
from benchmarks.peers.tables import comparison_lines, sweep_table, timing_table

ROOT = Path(__file__).resolve().parents[2]
ENGINES = (CHLOE, *RECIPES)
VARIANTS = {"jesse_minutes": ("jesse", "--minutes")}  # run only if named: 3 GB, a minute and more
SWEEPERS = (CHLOE, "vectorbt")


def main() -> None:
    """Run what was asked for and print the tables."""
    options = _options()
    if options.data is not None:
        variants = {"real candles": real_bars(options.data)}
    else:
        variants = {
            f"seed {options.seed}, no gaps": seeded_bars(options.seed, gaps=False),
            f"seed {options.seed}, opening gaps": seeded_bars(options.seed, gaps=True),
        }
    kept: dict[str, Any] = {}
    for name, bars in variants.items():
        print(f"== {name}: {len(bars.symbols)} symbols x {len(bars.open_ms)} bars of 1 h", flush=True)
        kept[name] = (_sweep if options.sweep else _backtest)(options, bars)
    if options.keep:
        options.keep.write_text(json.dumps(kept))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="real candles in place of seeded ones")
    parser.add_argument("--sweep", action="store_true", help="time sweeps instead of single backtests")
    parser.add_argument("--engines", metavar="A,B", help=f"only these of {', '.join((*ENGINES, *VARIANTS))}")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up bars (default: 1)")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, metavar="DIR", help=f"environments (default: {CACHE})"
    )
    parser.add_argument(
        "--python", type=Path, action="append", default=[], metavar="PATH", help="another interpreter to use"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="write every answer, trades included, as JSON"
    )
    options = parser.parse_args()
    wanted = options.engines.split(",") if options.engines else list(SWEEPERS if options.sweep else ENGINES)
    known = SWEEPERS if options.sweep else (*ENGINES, *VARIANTS)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        parser.error(f"no engine {', '.join(unknown)} here; known: {', '.join(known)}")
    options.engines = wanted
    return options


def _backtest(options: argparse.Namespace, bars: PeerBars) -> dict[str, Any]:
    answers = _answers(options, bars)
    print("\n".join(timing_table(answers, bars.close.size)), flush=True)
    ours = reference_trades(bars, Rules())
    print(f"reference: {len(ours)} trades, net {sum(trade.pnl_quote for trade in ours):.2f}")
    for engine, answer in answers.items():
        theirs = [PeerTrade(*trade) for trade in answer["trades"]]
        found = compared(VARIANTS.get(engine, (engine,))[0], (ours, theirs), bars, Rules())
        print("\n".join(comparison_lines(engine, found)), flush=True)
    return answers


def _sweep(options: argparse.Namespace, bars: PeerBars) -> dict[str, Any]:
    answers = _answers(options, bars)
    print("\n".join(sweep_table(answers, bars.close.size)), flush=True)
    return answers


def _answers(options: argparse.Namespace, bars: PeerBars) -> dict[str, dict[str, Any]]:
    """Run the engines one after another; an engine that can't be run is named with the reason."""
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "bars.npz"
        write_bars(source, bars)
        for engine in options.engines:
            try:
                runner, *flags = VARIANTS.get(engine, (engine,))
                python = interpreter_for(runner, options.cache, tuple(options.python))
                before_ms = _loop_ms()
                print(f"{engine}: running", file=sys.stderr, flush=True)
                answers[engine] = _answer_of(
                    runner, python, source, [*flags, *(["--sweep"] if options.sweep else [])]
                )
                answers[engine]["calibration_ms"] = [before_ms, _loop_ms()]
            except Unavailable as reason:
                print(f"{engine}: skipped, {reason}", flush=True)
    return answers


def _loop_ms() -> float:
    return statistics.median(calibration_ms() for _ in range(9))


def _answer_of(runner: str, python: Path, source: Path, flags: list[str]) -> dict[str, Any]:
    scratch = Path(tempfile.mkdtemp(prefix=runner, dir=source.parent))
    target = scratch / "answer.json"
    command = [str(python), "-W", "ignore", "-P", "-m", f"benchmarks.peers.runners.{runner}"]
    run = subprocess.run(
        [*command, str(source), str(target), *flags],
        cwd=scratch,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0 or not target.is_file():
        told = run.stderr.strip().splitlines()[-8:]
        raise Unavailable("its run failed:\n    " + "\n    ".join(told))
    answer: dict[str, Any] = json.loads(target.read_text())
    return answer


if __name__ == "__main__":
    main()
