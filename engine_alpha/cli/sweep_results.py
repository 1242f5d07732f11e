"""What `chloe sweep` found, as tables, as one JSON document and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import write_atomically
from engine_alpha.backtest.sweep import SweepPlan, SweepResult, Trial
from engine_alpha.backtest.sweeping.luck import deflated_sharpe, lucky_factor
from engine_alpha.backtest.sweeping.plateau import plateau_of
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.reports.rehearsal import coins_table
from engine_alpha.reports.sweep import (
    OBJECTIVES,
    Luck,
    SweepRow,
    best_table,
    ledger_lines,
    luck_lines,
    plateau_line,
    shortened,
    value_text,
)
from engine_alpha.reports.table import Table
from engine_alpha.reports.words import count, factor_fields, plain
from engine_alpha.times import minute


def found_parts(plan: SweepPlan, result: SweepResult, best: int) -> list[Table | str]:
    """Return tables and lines for people."""
    wanted, keys = plan.wanted, [axis.key for axis in plan.variants.axes]
    span = f"{minute(wanted.from_ms)} to {minute(wanted.to_ms)}"
    parts: list[Table | str] = [f"sweep over {wanted.venue} bars from {wanted.data}, {span}"]
    parts += [f"one account trades all of {', '.join(_traded(plan))}", ""]
    rows = [_row(plan, trial, result) for trial in result.best[:best] if trial.outcome is not None]
    if rows:
        shown = (
            f"the best {len(rows)} by {OBJECTIVES[plan.study.objective]}:" if len(rows) > 1 else "the best:"
        )
        parts += [shown, best_table(shortened(keys), rows), "", "the best one, coin by coin:"]
        parts += [coins_table(rows[0].per_coin, rows[0].factor), "", plateau_line(rows[0])]
        parts += luck_lines(rows[0], _luck(plan, result), len(result.trials))
    else:
        parts.append("no set of parameters came to a result")
    return [*parts, *_fault_lines(result), _pace(plan, result), *_ledger(result)]


def found_fields(home: Home, plan: SweepPlan, result: SweepResult, best: int) -> dict[str, Any]:
    """Return the same for programs."""
    study, ledger = asdict(plan.study), result.ledger
    luck = asdict(_luck(plan, result))
    return {
        "home": str(home.path),
        "data": str(plan.wanted.data),
        "simulated": False,
        **study,
        "jobs": plan.jobs,
        "sets": len(result.trials),
        "failed": sum(trial.outcome is None for trial in result.trials),
        "new": result.new,
        "trials_known": {
            "of_these": luck["trials"],
            "ever": ledger.known,
            "lost": ledger.lost,
            "resets": ledger.resets,
        },
        "luck": luck,
        "best": [
            {**trial_fields(plan, trial), "plateau": asdict(_plateau(plan, trial, result))}
            for trial in result.best[:best]
        ],
        "seconds": round(result.seconds, 3),
        "interrupted": result.interrupted,
    }


def trial_fields(plan: SweepPlan, trial: Trial) -> dict[str, Any]:
    """Return one trial for programs."""
    fields = {
        "place": trial.place,
        "values": plan.variants.named(trial.values),
        "score": trial.score,
        "fault": trial.fault,
    }
    if trial.outcome is None:
        return fields
    found = trial.outcome
    return {
        **fields,
        "net_quote": found.net_quote,
        "factor": factor_fields(found.factor),
        "sharpe": found.sharpe,
        "max_drawdown_frac": found.max_drawdown_frac,
        "per_coin": {symbol: factor_fields(factor) for symbol, factor in found.per_coin.items()},
        "trades_sha256": found.trades_sha256,
    }


def write_out(folder: Path, fields: dict[str, Any], plan: SweepPlan, result: SweepResult) -> None:
    """Write sweep.json and trials.csv, all trials in the order they were tried; raise `ConfigError`."""
    trials = [trial_fields(plan, trial) for trial in result.trials]
    text = json.dumps(plain({**fields, "trials": trials}), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "sweep.json", text.encode() + b"\n")
        write_atomically(folder / "trials.csv", _csv(plan, result.trials).encode())
    except OSError as fault:
        raise ConfigError(
            f"--out {folder} can't be written ({fault.strerror}): name another folder"
        ) from None


def _csv(plan: SweepPlan, trials: Sequence[Trial]) -> str:
    written = io.StringIO()
    lines = csv.writer(written)
    keys = [axis.key for axis in plan.variants.axes]
    results = ("trades", "pf", "pf_low", "pf_high", "net_quote", "sharpe", "max_drawdown_frac")
    lines.writerow([*keys, plan.study.objective, *results, "trades_sha256", "fault"])
    for trial in trials:
        values = [value_text(value) for value in trial.values]
        found = trial.outcome
        if found is None:
            lines.writerow([*values, *[""] * (len(results) + 2), trial.fault])
            continue
        factor = found.factor
        numbers = (factor.trades, factor.value, factor.low, factor.high, found.net_quote, found.sharpe)
        lines.writerow(
            [*values, plain(trial.score), *numbers, found.max_drawdown_frac, found.trades_sha256, ""]
        )
    return written.getvalue()


def _row(plan: SweepPlan, trial: Trial, result: SweepResult) -> SweepRow:
    found, plateau = trial.outcome, _plateau(plan, trial, result)
    assert found is not None
    return SweepRow(
        values=tuple(value_text(value) for value in trial.values),
        factor=found.factor,
        per_coin=found.per_coin,
        sharpe=found.sharpe,
        max_drawdown_frac=found.max_drawdown_frac,
        neighbours=plateau.neighbours,
        median_factor=plateau.median_factor,
        least_factor=plateau.least_factor,
    )


def _plateau(plan: SweepPlan, trial: Trial, result: SweepResult) -> Any:
    return plateau_of(trial, result.trials, plan.variants.axes)


def _luck(plan: SweepPlan, result: SweepResult) -> Luck:
    """Judge the best trial by all that were ever run of these documents on these coins."""
    trials = result.ledger.matching(plan.study.documents, plan.study.symbols)
    best = next((trial.outcome for trial in result.best if trial.outcome is not None), None)
    daily = [trial.outcome.daily for trial in result.trials if trial.outcome is not None]
    ratios = [each.sharpe for each in daily if each is not None]
    return Luck(
        documents=plan.study.documents,
        trials=trials,
        factor=None if best is None else lucky_factor(best.factor, trials),
        deflated_sharpe=(
            None if best is None or best.daily is None else deflated_sharpe(best.daily, ratios, trials)
        ),
    )


def _traded(plan: SweepPlan) -> list[str]:
    """Return the cards that trade beside each other here, the varied ones among them."""
    setup = plan.variants.setup
    applying = {
        card.name
        for asset in setup.enabled
        for card in setup.playbook(asset, setup.set_of(asset.symbol)).configs
        if card.status == "active" or card.name in plan.study.documents
    }
    return [card.name for card in setup.cards.cards if card.name in applying]


def _fault_lines(result: SweepResult) -> list[str]:
    faults = [trial.fault for trial in result.trials if trial.fault is not None]
    return [f"{count(len(faults), 'set')} failed, for example: {faults[0]}"] if faults else []


def _pace(plan: SweepPlan, result: SweepResult) -> str:
    sets = count(len(result.trials), "set")
    beside = f", {plan.jobs} at a time" if plan.jobs > 1 else ""
    return f"{sets} in {result.seconds:.1f} s{beside}, {result.new:,} of them never tried before"


def _ledger(result: SweepResult) -> list[str]:
    return ledger_lines(result.ledger.known, result.ledger.lost, result.ledger.resets)
