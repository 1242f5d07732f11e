"""How often nightly research finds an edge that is there, and how true its claims are.

    python -m benchmarks.power [--seed S] [--markets N] [--coins 3] [--years 2] [--jobs 2] [--json]
    python -m benchmarks.power --solve [--seed S] [--markets N]

Markets with an edge planted for one card, so strong that the card, entering where the edge begins, makes a
profit factor of 1.2, 1.3, 1.5 net of costs, alone and over very long histories. Each goes through the whole
procedure.
Found: any coin has a passing proposal that trades the card. Claimed: the profit factor such a proposal
expects, over the planted one; below it, what every market's walk-forward made of the card, found or not.
--solve measures anew how strong a drift makes these factors; it takes an hour for 150 markets.
"""

import argparse
import functools
import json
import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, TextIO

import numpy as np

from benchmarks.research_markets import (
    PLANTED,
    STOPPED,
    Found,
    Job,
    investigated,
    median_with_interval,
    share_with_interval,
    side_by_side,
    told_why,
)
from engine_alpha.cli.progress import progress_shown
from engine_alpha.research.markets.market import COINS, YEAR_HOURS, Wanted
from engine_alpha.research.markets.planted import CARD, STRENGTHS, Factor, planted
from engine_alpha.research.markets.planting import Played, factor_of, net_r, played_of, solved


class Case(NamedTuple):
    """One market for one strength."""

    wanted: Wanted
    strength: float


def main() -> int:
    """Play and print."""
    options = _options()
    out = sys.stderr if options.json else sys.stdout
    if options.solve:
        try:
            return _solve(options, out)
        except STOPPED as fault:
            return told_why(fault, 0, options.markets)
    jobs = [
        Job(kind=PLANTED, wanted=_wanted(options, number), strength=told.strength)
        for number in range(options.markets)
        for told in STRENGTHS.values()
    ]
    found: list[Found] = []
    stopped: BaseException | None = None
    try:
        with progress_shown("planted markets", "markets") as move:
            found.extend(side_by_side(investigated, jobs, options.jobs, move))
    except STOPPED as fault:
        stopped = fault
    rows = [row_of(pf, told, found) for pf, told in STRENGTHS.items()]
    _print(rows, options, out)
    if options.json:
        print(json.dumps({"seed": options.seed, "card": CARD, "rows": rows}, indent=1))
    if stopped is not None:
        return told_why(stopped, len(found), len(jobs))
    return 0


def row_of(pf: float, told: Factor, found: Sequence[Found]) -> dict[str, Any]:
    """Return the figures of one planted profit factor."""
    mine = [each for each in found if each.job.strength == told.strength and not each.fault]
    claims = [_claimed(each) for each in mine]
    factors = [value for each in mine for card, value, _ in each.factors if card == CARD and value]
    ratios = np.array([math.exp(np.mean(np.log(each))) / told.value for each in claims if each])
    coins = sum(each.job.wanted.coins for each in mine)
    on_coins = sum(len(each) for each in claims)
    return {
        "planted": pf,
        "measured": told.value,
        "measured_low": told.low,
        "measured_high": told.high,
        "strength": told.strength,
        "markets": len(mine),
        "faults": sum(bool(each.fault) for each in found if each.job.strength == told.strength),
        "found": share_with_interval(sum(bool(each) for each in claims), len(mine)),
        "any_card": sum(each.fired for each in mine),
        "coins": coins,
        "coins_found": on_coins,
        "claimed_over_planted": median_with_interval(ratios),
        "walked_over_planted": median_with_interval(np.array(factors) / told.value),
        "seconds_median": float(np.median([each.seconds for each in mine])) if mine else 0.0,
    }


def _claimed(each: Found) -> list[float]:
    """Return the card's expected profit factor on each coin that it is proposed for."""
    return [claim.expected for claim in each.claims if claim.card == CARD and claim.expected]


def played(case: Case) -> Played:
    """Return what the card makes of one planted market."""
    return played_of(net_r(planted(case.wanted, case.strength)))


def _solve(options: argparse.Namespace, out: TextIO) -> int:
    @functools.cache
    def measure(strength: float) -> Factor:
        cases = [Case(_wanted(options, number), strength) for number in range(options.markets)]
        with progress_shown(f"strength {strength:.6f}", "markets") as move:
            found = factor_of(strength, list(side_by_side(played, cases, options.jobs, move)))
        print(_measured(found), file=out, flush=True)
        return found

    if options.strength:
        for strength in options.strength:
            measure(strength)
        return 0
    for pf in STRENGTHS:
        print(f"PF {pf:g}: {_measured(solved(pf, measure))}", file=out, flush=True)
    return 0


def _measured(found: Factor) -> str:
    return (
        f"strength {found.strength:.6f}: PF {found.value:.3f}, 95 % {found.low:.3f} to {found.high:.3f}, "
        f"mean R {found.mean_r:+.4f}, {found.trades} trades in {found.markets} markets"
    )


def _print(rows: Sequence[dict[str, Any]], options: argparse.Namespace, out: TextIO) -> None:
    print(
        f"\n{CARD}, {options.coins} coins x {options.years:g} years, seed {options.seed}\n"
        "planted PF  markets  found, 95 %                coins found  claimed / planted, 95 %   "
        "walk-forward / planted, 95 %",
        file=out,
    )
    for row in rows:
        share, low, high = row["found"]
        print(
            f"{row['planted']:10.2f} {row['markets']:8d}  {share:6.1%}  {low:6.1%} to {high:6.1%}  "
            f"{row['coins_found']:6d} of {row['coins']:4d}  {_ratio(row['claimed_over_planted']):24s}  "
            f"{_ratio(row['walked_over_planted'])}",
            file=out,
        )
    if any(row["faults"] for row in rows):
        print(f"{sum(row['faults'] for row in rows)} markets were not judged", file=out)
    seconds = [row["seconds_median"] for row in rows if row["markets"]] or [0.0]
    print(f"seconds a market: median {np.median(seconds):.1f}", file=out)


def _ratio(found: tuple[float, float, float]) -> str:
    middle, low, high = found
    return "none" if math.isnan(middle) else f"{middle:.2f}  {low:.2f} to {high:.2f}"


def _wanted(options: argparse.Namespace, number: int) -> Wanted:
    return Wanted(
        seed=options.seed, number=number, coins=options.coins, hours=round(options.years * YEAR_HOURS)
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.power",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="any whole number from 0; 1 if none is given")
    parser.add_argument("--markets", type=int, default=40, help="for each planted factor; 40 if not said")
    parser.add_argument("--jobs", type=int, default=2, help="markets at the same time, a process each")
    parser.add_argument("--coins", type=int, default=3)
    parser.add_argument("--years", type=float, default=2.0)
    parser.add_argument("--solve", action="store_true", help="find the strengths anew, print and end")
    parser.add_argument("--strength", type=float, nargs="+", help="with --solve: measure only these")
    parser.add_argument("--json", action="store_true", help="print JSON, the table on standard error")
    options = parser.parse_args()
    if min(options.markets, options.jobs) < 1 or options.seed < 0:
        parser.error("--markets and --jobs from 1, --seed from 0")
    if not 1 <= options.coins <= len(COINS) or not 0.5 <= options.years <= 20.0:
        parser.error(f"--coins from 1 to {len(COINS)}, --years from 0.5 to 20")
    return options


if __name__ == "__main__":
    sys.exit(main())
