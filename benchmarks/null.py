"""How often nightly research finds something where there is nothing.

    python -m benchmarks.null [--seed S] [--markets N] [--kind walk|shuffled|both] [--jobs 2] [--json]

Each market (3 coins x 2 years of 1 h, or as told) goes through the whole procedure with the shipped settings:
random walks with fat tails and clustered volatility, and real candles whose signs are shuffled in blocks.
Printed for each market: which cards a passing proposal would trade; at the end the share of markets with any,
with its 95 % interval, and how often each gate let a card through or was the only one that stopped it.
Exit code 1 if more than 5 % fire beyond what chance explains.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from benchmarks.research_markets import (
    SHUFFLED,
    STOPPED,
    WALK,
    Found,
    Gate,
    Job,
    data_folder,
    investigated,
    share_with_interval,
    side_by_side,
    told_why,
)
from engine_alpha.cli.progress import progress_shown
from engine_alpha.research.markets.market import COINS, YEAR_HOURS, Wanted

MOST_FRAC = 0.05


def main() -> int:
    """Play the markets and print; return 1 where the bound does not hold."""
    options = _options()
    out = sys.stderr if options.json else sys.stdout
    jobs, said = _jobs(options)
    if said:
        print(said, file=out)
    found: list[Found] = []
    stopped: BaseException | None = None
    try:
        with progress_shown("null markets", "markets") as move:
            for each in side_by_side(investigated, jobs, options.jobs, move):
                found.append(each)
                print(_line(each), file=out, flush=True)
    except STOPPED as fault:
        stopped = fault
    summary = summed(found)
    _print(summary, found, out)
    if options.json:
        told = [
            _told(each) for each in sorted(found, key=lambda each: (each.job.kind, each.job.wanted.number))
        ]
        print(json.dumps({"seed": options.seed, **summary, "markets": told}, indent=1))
    if stopped is not None:
        return told_why(stopped, len(found), len(jobs))
    return 1 if summary["low"] > MOST_FRAC else 0


def summed(found: Sequence[Found]) -> dict[str, Any]:
    """Return the share of markets that fired, in all and by kind, the gates and the time."""
    judged = [each for each in found if not each.fault]
    share, low, high = share_with_interval(sum(each.fired for each in judged), len(judged))
    kinds = {}
    for kind in sorted({each.job.kind for each in judged}):
        of_kind = [each for each in judged if each.job.kind == kind]
        kinds[kind] = [len(of_kind), *share_with_interval(sum(each.fired for each in of_kind), len(of_kind))]
    seconds = sorted(each.seconds for each in found) or [0.0]
    return {
        "judged": len(judged),
        "faults": len(found) - len(judged),
        "fired": sum(each.fired for each in judged),
        "share": share,
        "low": low,
        "high": high,
        "kinds": kinds,
        "gates": gates_of(judged),
        "seconds_median": seconds[len(seconds) // 2],
        "seconds_most": seconds[-1],
    }


def gates_of(found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Return for each gate how often it was asked, let through, and alone stopped a card on a coin.

    `markets` counts those in which it let any card of any coin through.
    """
    asked, passed, alone, markets = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for each in found:
        markets.update({gate.name for gate in each.gates if gate.passed})
        by_case: dict[tuple[str, str], list[Gate]] = {}
        for gate in each.gates:
            by_case.setdefault((gate.symbol, gate.card), []).append(gate)
        for case in by_case.values():
            failed = [gate.name for gate in case if not gate.passed]
            asked.update(gate.name for gate in case)
            passed.update(gate.name for gate in case if gate.passed)
            if len(failed) == 1:
                alone[failed[0]] += 1
    return {
        name: {
            "asked": asked[name],
            "passed_frac": passed[name] / asked[name],
            "markets": markets[name],
            "alone": alone[name],
        }
        for name in asked
    }


def _line(each: Found) -> str:
    name = f"{each.job.kind} {each.job.wanted.number}"
    if each.fault:
        return f"{name:14s} {each.seconds:5.1f} s  NOT JUDGED: {each.fault}"
    claims = ", ".join(
        f"{claim.symbol} {claim.card} (PF {claim.expected or float('nan'):.2f})" for claim in each.claims
    )
    return f"{name:14s} {each.seconds:5.1f} s  {'FIRED: ' + claims if claims else '-'}"


def _print(summary: dict[str, Any], found: Sequence[Found], out: TextIO) -> None:
    print("\ngate, of cards on coins   asked  let through  in markets  alone stopped", file=out)
    for name, told in summary["gates"].items():
        print(
            f"{name:24s} {told['asked']:6d} {told['passed_frac']:12.1%} {told['markets']:11d} "
            f"{told['alone']:14d}",
            file=out,
        )
    for kind, (count, share, low, high) in summary["kinds"].items():
        print(f"{kind}: {share:.1%} of {count} markets fired, 95 % {low:.1%} to {high:.1%}", file=out)
    print(
        f"any proposal that passes: {summary['fired']} of {summary['judged']} markets, "
        f"{summary['share']:.1%}, 95 % {summary['low']:.1%} to {summary['high']:.1%}; "
        + ("at most 5 %" if summary["share"] <= MOST_FRAC else "MORE THAN 5 %"),
        file=out,
    )
    if summary["faults"]:
        print(f"{summary['faults']} markets were not judged", file=out)
    print(
        f"seconds a market: median {summary['seconds_median']:.1f}, most {summary['seconds_most']:.1f}",
        file=out,
    )


def _told(each: Found) -> dict[str, Any]:
    return {
        "kind": each.job.kind,
        "number": each.job.wanted.number,
        "note": each.note,
        "seconds": each.seconds,
        "fault": each.fault,
        "claims": [claim._asdict() for claim in each.claims],
        "gates": [gate._asdict() for gate in each.gates],
        "factors": [{"card": card, "pf": value, "trades": trades} for card, value, trades in each.factors],
    }


def _jobs(options: argparse.Namespace) -> tuple[list[Job], str]:
    """Return the markets, half of each kind where both are wanted, and what to say where one can't be."""
    data = data_folder(options.data)
    kinds, said = [WALK, SHUFFLED] if options.kind == "both" else [options.kind], ""
    if SHUFFLED in kinds and data is None:
        said = "no real candles here (--data DIR with candles/ in it, or CHLOE_DATA): random walks alone"
        kinds = [WALK]
    jobs = [
        Job(
            kind=kinds[place % len(kinds)],
            wanted=Wanted(
                seed=options.seed,
                number=options.first + place // len(kinds),
                coins=options.coins,
                hours=round(options.years * YEAR_HOURS),
            ),
            data=data,
        )
        for place in range(options.markets)
    ]
    return jobs, said


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.null",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="any whole number from 0; 1 if none is given")
    parser.add_argument("--markets", type=int, default=200, help="how many in all; 200 if not said")
    parser.add_argument("--kind", choices=(WALK, SHUFFLED, "both"), default="both")
    parser.add_argument("--jobs", type=int, default=2, help="markets at the same time, a process each")
    parser.add_argument("--coins", type=int, default=3)
    parser.add_argument("--years", type=float, default=2.0)
    parser.add_argument(
        "--first", type=int, default=0, help="the first market's number, to go on or look again"
    )
    parser.add_argument("--data", type=Path, help="folder with candles/BINANCEUM_*_1h.parquet")
    parser.add_argument("--json", action="store_true", help="print JSON, the table on standard error")
    options = parser.parse_args()
    if min(options.markets, options.jobs) < 1 or min(options.seed, options.first) < 0:
        parser.error("--markets and --jobs from 1, --seed and --first from 0")
    if not 1 <= options.coins <= len(COINS) or not 0.5 <= options.years <= 3.5:
        parser.error(f"--coins from 1 to {len(COINS)}, --years from 0.5 to 3.5")
    return options


if __name__ == "__main__":
    sys.exit(main())
