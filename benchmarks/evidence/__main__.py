"""What the evidence of `kernel/evidence.py` promises, measured: false promotions, power, false alarms.

    python -m benchmarks.evidence --seed S --assets N [--json]
    python -m benchmarks.evidence --engine --seed S --assets N [--hours H] [--json]

The first plays simulated trades of N coins a line, the kernel's own functions, compiled; "reference" is what
../docs/explanation/evidence.md compares with. --engine plays random-walk bars of N coins through the whole
engine, fees and all, then again free of costs, and counts which coins are ever proven.
Exit code 1 if more coins without an edge are proven than alpha allows, beyond three standard errors.
"""

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.evidence.engine import random_walks
from benchmarks.evidence.measuring import Row, count_of_rows, rows
from engine_alpha.cli.progress import progress_shown
from engine_alpha.kernel.evidence import EvidenceTerms

TERMS = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 25.0, 6.0)
HEADS = {
    "promotion": ("planted", "mean R", "ever", "in 330", "in 1000", "median", "p90"),
    "false alarms": ("watched by", "half in 100", "200", "run", "paper in 100", "200", "run", "against"),
    "delay": ("then", "half", "p90", "paper", "p90", "against", "p90"),
    "engine": ("bars", "coins", "trades a coin", "PF", "mean R", "ever proven", "against"),
}  # fmt: skip
NOTES = {
    "promotion": "proven within 3,000 trades, looked at after each; with PF 1 and less every one is false",
    "false alarms": "true mean 0.17 R; told within so many trades; mean run, cut at 5,000; against in 1,000",
    "delay": "trades from the change until told, no limits; without coins taken back before it",
    "engine": "coins without an edge, every decision by the engine",
}


def main() -> int:
    """Measure and print; return 1 where a bound does not hold."""
    options = _options()
    started = time.perf_counter()
    found: list[Row] = []
    out = sys.stderr if options.json else sys.stdout
    if options.engine:
        with progress_shown("random walks", "coins") as move:
            for row in random_walks(options.seed, options.assets, options.hours, TERMS, move):
                found.append(row)
    else:
        with progress_shown("trades", "lines") as move:
            for row in rows(options.seed, options.assets, TERMS):
                found.append(row)
                move(len(found), count_of_rows())
    _print(found, out)
    over = beyond_bound(found, options.assets)
    print(
        f"{time.perf_counter() - started:.0f} s; seed {options.seed}, {options.assets} coins a line", file=out
    )
    print(
        "false promotions: "
        + ("MORE THAN ALPHA: " + "; ".join(over) if over else "within alpha on every line"),
        file=out,
    )
    if options.json:
        told = [
            {"table": row.group, "what": row.what, **_named(row), "reference": row.reference} for row in found
        ]
        print(json.dumps({"seed": options.seed, "assets": options.assets, "rows": told}, indent=1))
    return 1 if over else 0


def beyond_bound(found: list[Row], assets: int) -> list[str]:
    """Name the lines without an edge on which more were proven than chance allows alpha to show."""
    alpha = TERMS.alpha
    most = alpha + 3.0 * (alpha * (1.0 - alpha) / assets) ** 0.5
    return [f"{row.what} {row.proven:.1%}" for row in found if row.proven is not None and row.proven > most]


def _print(found: list[Row], out: Any) -> None:
    group = ""
    for row in found:
        if row.group != group:
            group = row.group
            heads = "".join(f"{head:>15s}" for head in HEADS[group])
            print(f"\n{group}: {NOTES[group]}\n{'':48s}{heads}  reference", file=out)
        print(
            f"{row.what:48s}{''.join(f'{_shown(cell):>15s}' for cell in row.cells)}  {row.reference}",
            file=out,
        )


def _named(row: Row) -> dict[str, Any]:
    return {
        f"{place} {head}": cell
        for place, (head, cell) in enumerate(zip(HEADS[row.group], row.cells, strict=True))
    }


def _shown(cell: float | str) -> str:
    if isinstance(cell, str):
        return cell
    if cell != cell or cell in (float("inf"), float("-inf")):
        return "never"
    return f"{cell:,.0f}" if abs(cell) >= 10 else f"{cell:.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="any whole number from 0; 1 if none is given")
    parser.add_argument("--assets", type=int, default=1_000, help="coins a line, or through the engine")
    parser.add_argument("--engine", action="store_true", help="random-walk bars through the whole engine")
    parser.add_argument("--hours", type=int, default=26_280, help="bars a coin with --engine: three years")
    parser.add_argument("--json", action="store_true", help="print JSON, the tables on standard error")
    options = parser.parse_args()
    if options.seed < 0 or options.assets < 1 or options.hours < 2_000:
        parser.error("--seed from 0, --assets from 1, --hours from 2000")
    return options


if __name__ == "__main__":
    sys.exit(main())
