"""What the compiled road costs: a whole backtest, its first run, memory, growth, sweeps; all in one run.

    python -m benchmarks.road [--data DIR] [--json] [--quick]

Bars are made from a seed; --data adds real candles: DIR/candles/BINANCEUM_*.parquet. --quick plays a tenth
of every history, to see that all works. Every group of figures has a process of its own; all share caches,
empty at first. "median" is over several runs, "best" the least disturbed of them. "loop" is a fixed Python
loop timed before and after each group: compare only where it is alike.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WHOLE_RUNS = 5
LIBRARIES = ("chloe", "numba", "llvmlite", "numpy", "TA-Lib", "polars")
IMPORTS = """
import engine_alpha.cli.backtest, engine_alpha.cli.root, engine_alpha.backtest
import engine_alpha.reports.statistics, engine_alpha.reports.backtest, rich.console
"""
IN_PROCESS = ("road", "costs", "past", "sweep")
ON_REAL_CANDLES = ("real", "minutes")

# This process imports nothing large: what it holds is counted as memory of the processes it starts.


class Ran(NamedTuple):
    """A process that ended: its time, the most memory it had, and what it said."""

    seconds: float
    cpu_s: float
    peak_mib: float
    output: str


class Bench:
    """A folder with homes and caches of its own, and the figures taken so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.figures: list[dict[str, Any]] = []
        self.loops: dict[str, list[float]] = {}
        places = {name: str(folder / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
        self._environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}

    def ran(self, *arguments: str) -> Ran:
        """Run the interpreter with these arguments; raise `SystemExit` with what it said if it fails."""
        with (self.folder / "out").open("w+") as out, (self.folder / "err").open("w+") as err:
            start = time.perf_counter()
            run = subprocess.Popen(
                [sys.executable, *arguments], stdout=out, stderr=err, env=self._environment, cwd=self.folder
            )
            _, status, used = os.wait4(run.pid, 0)
            seconds = time.perf_counter() - start
            run.returncode = os.waitstatus_to_exitcode(status)
            for told in (out, err):
                told.seek(0)
            if run.returncode != 0:
                raise SystemExit(f"{' '.join(arguments)}\nended with {run.returncode}:\n{err.read()}")
            return Ran(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read())

    def group(self, name: str) -> list[dict[str, Any]]:
        """Let one process take a group of figures."""
        answer = json.loads(self.ran("-m", "benchmarks.road.figures", name, str(self.folder)).output)
        self.loops.setdefault(name, []).extend(answer["loop_ms"])
        figures: list[dict[str, Any]] = answer["figures"]
        return figures

    def say(self, name: str, unit: str, values: list[float], target: str = "-", note: str = "") -> None:
        """Keep a figure and print its line."""
        print(_line(name, values, unit, target), flush=True)
        if note:
            print(f"    {note}", flush=True)
        self.figures.append({"name": name, "unit": unit, "values": values, "target": target, "note": note})


def main() -> None:
    """Measure and print."""
    options = _options()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="chloe-road-") as folder:
        bench = Bench(Path(folder))
        if options.json:
            sys.stdout, shown = sys.stderr, sys.stdout
        print(f"{'':62s}{'median':>12s}{'best':>12s}  {'unit':10s} target")
        history = _made(bench, options)
        first_run(bench, history)
        whole_process(bench, history)
        for name in (*IN_PROCESS, *(ON_REAL_CANDLES if options.data else ())):
            for figure in bench.group(name):
                bench.say(**figure)
        whole_sweep(bench, history)
        loops = {name: [round(each, 1) for each in found] for name, found in bench.loops.items()}
        print("loop, ms: " + "; ".join(f"{name} {_listed(found)}" for name, found in loops.items()))
        print(f"{time.perf_counter() - started:.0f} s in all; {_listed(machine().values())}")
        if options.json:
            found = {"machine": machine(), "quick": options.quick, "loop_ms": loops, "figures": bench.figures}
            print(json.dumps(found, indent=1), file=shown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.road",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="real candles for the figures that need them"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, the table on standard error")
    parser.add_argument("--quick", action="store_true", help="a tenth of every history")
    options = parser.parse_args()
    if options.data is not None and not (options.data / "candles").is_dir():
        parser.error(f"no folder {options.data / 'candles'}: name the folder that has candles/ in --data")
    return options


def _made(bench: Bench, options: argparse.Namespace) -> list[str]:
    """Make the homes and return how `chloe` is told what to play in the first of them."""
    data = [] if options.data is None else ["--data", str(options.data.resolve())]
    quick = ["--quick"] if options.quick else []
    bench.ran("-m", "benchmarks.road.homes", str(bench.folder), *data, *quick)
    home = bench.folder / "seeded"
    kept = json.loads((home / "history.json").read_text())
    first, end = (datetime.fromtimestamp(kept[name] / 1000, UTC).isoformat() for name in ("from_ms", "to_ms"))
    return [
        "--home", str(home), "--data", kept["data"], "--venue", kept["venue"],
        "--symbols", ",".join(kept["symbols"]), "--from", first, "--to", end,
    ]  # fmt: skip


def first_run(bench: Bench, history: list[str]) -> None:
    """Measure `chloe backtest` with empty caches: it compiles, and decodes the bars."""
    answer = bench.folder / "compiled.txt"
    ran = bench.ran("-m", "benchmarks.road.first_run", str(answer), "backtest", *history)
    said = (bench.folder / "err").read_text()
    seconds, times = answer.read_text().split()
    told = "said so" if "compiling" in said else "did not say so"
    bench.say("first `chloe backtest`, empty caches", "s", [ran.seconds], "<= 30", told)
    bench.say("  processor time of it", "s", [ran.cpu_s])
    bench.say("  of it compiling", "s", [float(seconds)], note=f"{times} functions")
    bench.say("  peak RSS", "MiB", [ran.peak_mib])


def whole_process(bench: Bench, history: list[str]) -> None:
    """Measure `chloe backtest` as a process, caches warm, and what becomes of its time."""
    runs = [bench.ran("-m", "engine_alpha", "backtest", *history) for _ in range(WHOLE_RUNS)]
    digests = bench.ran("-m", "engine_alpha", "backtest", *history, "--digests")
    imports = [bench.ran("-c", IMPORTS).seconds for _ in range(WHOLE_RUNS)]
    bench.say("`chloe backtest`, whole process, caches warm", "s", [ran.seconds for ran in runs], "<= 2.5")
    bench.say("  processor time of it", "s", [ran.cpu_s for ran in runs])
    bench.say("  a process that only imports the same", "s", imports)
    found = [bench.group("stages") for _ in range(3)]
    for same in zip(*found, strict=True):
        bench.say(same[0]["name"], same[0]["unit"], [each["values"][0] for each in same])
    bench.say("  peak RSS", "MiB", [ran.peak_mib for ran in runs])
    bench.say("`chloe backtest --digests`, whole process", "s", [digests.seconds])
    bench.say("  peak RSS", "MiB", [digests.peak_mib])


def whole_sweep(bench: Bench, history: list[str]) -> None:
    """Measure `chloe sweep` as a process with few sets and with many: its memory must not grow with them."""
    stops = [f"0.0{each}" for each in range(10, 60, 5)]
    few, many = (f"exits.target.frac={','.join(f'0.{20 + 10 * i:03d}' for i in range(n))}" for n in (1, 10))
    asked = ["sweep", *history, "--card", "ema-cross", "--vary", f"exits.stop.frac={','.join(stops)}"]
    bench.ran("-m", "engine_alpha", *asked, "--vary", few, "--jobs", "1")
    for sets, targets, jobs in ((10, few, 1), (100, many, 1), (100, many, 2)):
        ran = bench.ran("-m", "engine_alpha", *asked, "--vary", targets, "--jobs", str(jobs))
        bench.say(f"`chloe sweep`, {sets} sets, --jobs {jobs}, whole process", "s", [ran.seconds])
        if jobs == 1:
            bench.say("  peak RSS", "MiB", [ran.peak_mib], "<= 1024, flat")


def machine() -> dict[str, str]:
    """Return what the figures depend on besides Chloe."""
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine(),
    )  # fmt: skip
    found = {name: f"{name} {version(name)}" for name in LIBRARIES}
    cores = len(os.sched_getaffinity(0))
    return {"processor": f"{cores} x {model}", "python": f"Python {platform.python_version()}", **found}


def _listed(values: Any) -> str:
    return ", ".join(str(each) for each in values)


def _line(name: str, values: list[float], unit: str, target: str) -> str:
    best = max(values) if unit.endswith("/s") else min(values)
    cells = "".join(f"{_shown(each):>12s}" for each in (statistics.median(values), best))
    return f"{name:62s}{cells}  {unit:10s} {target}"


def _shown(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4f}"


if __name__ == "__main__":
    main()
