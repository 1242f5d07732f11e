"""`chloe sweep`: many sets of parameters over one history, every one of them counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.history import asked_history, history_options
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import JournalError
from engine_alpha.home import Home
from engine_alpha.loop.saying import FAILED_CODE
from engine_alpha.reports.sweep import OBJECTIVES

if TYPE_CHECKING:
    from engine_alpha.backtest.sweep import SweepPlan, SweepResult, Trial
    from engine_alpha.backtest.sweeping.sampling import Sampler
    from engine_alpha.backtest.sweeping.variants import Variants

INTERRUPTED = 130
NEEDED = {"data": "--data", "venue": "--venue", "symbols": "--symbols", "first": "--from", "end": "--to"}


@click.command(
    epilog=examples(
        "chloe sweep --data candles/ --venue BINANCEUM --symbols ETHUSDT,BTCUSDT \\",
        "            --from 2021-01-01 --to 2024-01-01 --card momentum-long \\",
        "            --vary exits.stop.range=4:10:1 --vary entry[0].at_least=0.3,0.5,0.7",
        "chloe sweep … --vary momentum-long:exits.stop.range=4:10 --vary risk:risk_frac=0.002:0.02:log \\",
        "            --random 200 --seed 7",
        "chloe sweep ... --vary exits.stop.range=4:10 --optuna 100 --objective sharpe --out found/",
        "chloe sweep --ledger     what was ever tried in this home",
    )
)
@history_options(required=False)
@click.option("--cards", metavar="DIR", help="Folder of cards instead of the home's.")
@click.option("--risk", metavar="FILE", help="Limits instead of the home's risk.json.")
@click.option("--card", metavar="NAME", help="The card whose keys are varied, unless a key names its own.")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=VALUES",
    help="A key of a card (CARD:exits.stop.range) or of risk.json (risk:risk_frac), and its values: "
    "a,b,c or low:high:step; with --random and --optuna also low:high or low:high:log.",
)
@click.option("--random", "random_sets", type=int, metavar="N", help="N random sets instead of a grid.")
@click.option("--optuna", "optuna_sets", type=int, metavar="N", help="N sets that Optuna chooses.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of --random and --optuna.")
@click.option(
    "--objective",
    type=click.Choice(list(OBJECTIVES)),
    default="pf_low",
    show_default=True,
    help="What the best set is best at; pf_low is the low end of PF's 95 % interval.",
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Sets at a time. [default: one per core]")
@click.option("--best", type=click.IntRange(1), default=10, show_default=True, help="How many to show.")
@click.option("--most", type=int, metavar="N", help="Let a grid have so many sets. [default: 100000]")
@click.option("--out", metavar="DIR", help="Write all trials there: sweep.json and trials.csv.")
@click.option("--ledger", is_flag=True, help="Show what was ever tried, and check the ledger.")
@home_option
@json_option
def sweep(**given: Any) -> int | None:
    """Try many values of card and risk parameters over one history.

    Every set that is tried is counted for good, failed and interrupted ones too: the best of many looks good
    without any edge, and the report says how good.
    """
    missing = [option for name, option in NEEDED.items() if given[name] is None]
    if missing and not given["ledger"]:
        raise click.UsageError(f"missing {', '.join(missing)}; chloe sweep -h shows examples")
    with extra_asked_for():
        return _show_ledger(chosen_home()) if given["ledger"] else _sweep(chosen_home(), given)


def _sweep(home: Home, given: Mapping[str, Any]) -> int | None:
    from engine_alpha.backtest.compiling import LONGEST_OF_SWEEPS, is_cached
    from engine_alpha.backtest.sweep import sweep as run
    from engine_alpha.backtest.trials import TrialLedger

    plan, sampler = _planned(home, given)
    if not is_cached(LONGEST_OF_SWEEPS):
        remark("compiling first, as after every installation and update: up to half a minute")
    with _progress(plan, given["objective"]) as progress:
        result = run(plan, sampler, TrialLedger(home), progress)
    _report(home, given, plan, result)
    if result.interrupted:
        remark(f"stopped after {len(result.trials):,} of {sampler.total:,} sets; what is finished is kept")
        sys.exit(INTERRUPTED)
    return FAILED_CODE if all(trial.outcome is None for trial in result.trials) else None


def _planned(home: Home, given: Mapping[str, Any]) -> tuple[SweepPlan, Sampler]:
    """Return what to try; everything that was typed is checked here, before anything runs."""
    import os

    from engine_alpha.backtest.request import Overrides, backtest_setup
    from engine_alpha.backtest.sweep import SweepPlan
    from engine_alpha.backtest.sweeping.ledger_records import Study
    from engine_alpha.backtest.sweeping.road import history_sha256, prepare
    from engine_alpha.backtest.sweeping.variants import make_variants
    from engine_alpha.plans.deciding import deciding_code

    wanted = asked_history(given)
    cards, risk = (Path(given[name]).expanduser() if given[name] else None for name in ("cards", "risk"))
    setup = backtest_setup(home, wanted, Overrides(cards=cards, risk=risk))
    variants = make_variants(setup, given["vary"], given["card"], cards)
    method, sampler = _sampler(variants, given)
    study = Study(
        method=method,
        seed=None if method == "grid" else given["seed"],
        objective=given["objective"],
        varied=tuple(given["vary"]),
        documents=tuple(sorted({axis.document for axis in variants.axes})),
        venue=wanted.venue,
        symbols=wanted.symbols,
        from_ms=wanted.from_ms,
        to_ms=wanted.to_ms,
        data_sha256=history_sha256(variants.setup, wanted),
        code_sha256=deciding_code(),
    )
    jobs = given["jobs"] or len(os.sched_getaffinity(0))
    plan = SweepPlan(
        variants=variants, wanted=wanted, study=study, prepare=prepare, jobs=min(jobs, sampler.total)
    )
    return plan, sampler


def _sampler(variants: Variants, given: Mapping[str, Any]) -> tuple[str, Sampler]:
    from engine_alpha.backtest.sweeping.sampling import MOST_SETS, GridSampler, OptunaSampler, RandomSampler

    if given["random_sets"] is not None and given["optuna_sets"] is not None:
        raise click.UsageError("--random and --optuna are two ways; choose one")
    if given["random_sets"] is not None:
        return "random", RandomSampler(variants.axes, given["random_sets"], given["seed"])
    if given["optuna_sets"] is not None:
        return "optuna", OptunaSampler(variants.axes, given["optuna_sets"], given["seed"])
    return "grid", GridSampler(variants.axes, given["most"] or MOST_SETS)


@contextmanager
def _progress(plan: SweepPlan, objective: str) -> Iterator[Callable[[int, int, Trial | None], None]]:
    """Show a bar with the best set so far."""
    from engine_alpha.reports.sweep import value_text
    from engine_alpha.reports.words import count

    known: list[Trial | None] = [None]
    note = [""]
    with progress_shown(f"sweeping {count(len(plan.wanted.symbols), 'coin')}", "sets") as move:

        def tell(done: int, total: int, best: Trial | None) -> None:
            if best is not None and best is not known[0]:
                values = plan.variants.named(best.values)
                words = ", ".join(f"{key} {value_text(value)}" for key, value in values.items())
                known[0], note[0] = best, f"best so far: {objective} {best.score:.4g} with {words}"
            move(done, total, note[0])

        yield tell


def _report(home: Home, given: Mapping[str, Any], plan: SweepPlan, result: SweepResult) -> None:
    from engine_alpha.cli.sweep_results import found_fields, found_parts, write_out

    fields = found_fields(home, plan, result, given["best"])
    if given["out"] is not None:
        write_out(Path(given["out"]).expanduser(), fields, plan, result)
    if wants_json():
        show_json(fields)
    else:
        show(*found_parts(plan, result, given["best"]))


def _show_ledger(home: Home) -> int | None:
    from dataclasses import asdict

    from engine_alpha.backtest.trials import TrialLedger
    from engine_alpha.reports.sweep import ledger_lines, ledger_table

    ledger = TrialLedger(home)
    found = ledger.summary()
    with progress_shown("checking the ledger", "events") as move:
        report = ledger.check(move)
    groups = [asdict(group) for group in found.groups]
    sound = report is None or report.sound
    if wants_json():
        counts = {"known": found.known, "listed": found.listed, "lost": found.lost, "resets": found.resets}
        show_json(
            {"home": str(home.path), "ledger": str(ledger.path), "sound": sound, **counts, "groups": groups}
        )
    else:
        show(*ledger_lines(found.known, found.lost, found.resets))
        if groups:
            show("", ledger_table(groups))
    if report is not None and not report.sound:
        wrong = report.broken or "; ".join((*report.wrong_states, *report.file_faults))
        raise JournalError(f"{ledger.path} is not what was written: {wrong}; put back a sound copy of it")
    return None
