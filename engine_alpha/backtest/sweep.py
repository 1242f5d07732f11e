"""Evaluate many sets of parameters over one history, on all cores, and rank them.

Every trial is in the ledger before it is evaluated. Results come in the order of the sampler, whatever the
number of threads.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from engine_alpha.backtest.sweeping.ledger_records import LedgerSummary, Study
from engine_alpha.backtest.sweeping.outcome import Outcome, score
from engine_alpha.backtest.sweeping.sampling import Sampler
from engine_alpha.backtest.sweeping.space import Values
from engine_alpha.backtest.sweeping.threads import side_by_side
from engine_alpha.backtest.sweeping.variants import Variants
from engine_alpha.backtest.trials import TrialLedger
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup


class Evaluate(Protocol):
    """Evaluates configurations on a history that is laid out, several threads at a time."""

    def __call__(self, setup: Setup) -> Outcome:
        """Play the history with this configuration; raises `ConfigError` or `DataError` if that can't be."""
        ...


Prepare = Callable[[Setup, History], Evaluate]
"""Makes ready, once, what does not depend on the values."""

Result = Outcome | str
"""What a trial came to, or in words why nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What to try on which history. `variants.setup` is the configuration as `for_history` made it."""

    variants: Variants
    wanted: History
    study: Study
    prepare: Prepare
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One evaluated set of parameters; `outcome` is None where `fault` says why."""

    place: int  # in the order of the sampler, from 0
    values: Values
    score: float
    outcome: Outcome | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What a sweep found. `trials` are in the sampler's order, equal configurations once; `best` come first.

    `new` trials had never been run before. `ledger` is what is known with them.
    """

    trials: tuple[Trial, ...]
    new: int
    ledger: LedgerSummary
    seconds: float
    interrupted: bool

    @property
    def best(self) -> tuple[Trial, ...]:
        """Return the trials by their score, the earlier one first among equals."""
        return tuple(sorted(self.trials, key=lambda trial: (-trial.score, trial.place)))


Progress = Callable[[int, int, Trial | None], None]
"""Called after every trial with the number done, of all, and the best one so far."""


def sweep(plan: SweepPlan, sampler: Sampler, ledger: TrialLedger, progress: Progress) -> SweepResult:
    """Try what the sampler gives; an interruption (Ctrl-C) ends it with what is finished.

    Raises `ConfigError` or `DataError` where nothing can be evaluated at all, `JournalError` for the ledger.
    """
    started = time.perf_counter()
    running = _Running(plan, ledger, sampler.total, progress)
    interrupted = False
    try:
        with _evaluating(plan) as results:
            while batch := sampler.batch():
                sampler.tell(batch, running.tried(batch, results))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        running.write_results()
    return SweepResult(
        trials=tuple(running.trials.values()),
        new=running.new,
        ledger=ledger.summary(),
        seconds=time.perf_counter() - started,
        interrupted=interrupted,
    )


class _Running:
    """A sweep under way: its trials by key."""

    def __init__(self, plan: SweepPlan, ledger: TrialLedger, total: int, progress: Progress) -> None:
        self.trials: dict[str, Trial] = {}
        self.new = 0
        self._plan = plan
        self._ledger = ledger
        self._total = total
        self._progress = progress
        self._best: Trial | None = None
        self._done = 0
        self._results: dict[str, Result] = {}  # not written down yet: the next batch's beginning does it

    def tried(self, batch: Sequence[Values], results: "Results") -> list[float]:
        """Write a batch down, evaluate what is new in it, and return the scores of all of it."""
        keys = [self._key(values) for values in batch]
        fresh = {key: values for key, values in zip(keys, batch, strict=True) if key not in self.trials}
        named = {key: self._plan.variants.named(values) for key, values in fresh.items()}
        self.new += self._ledger.record(self._plan.study, named, self._results)
        self._results = {}
        for (key, values), result in zip(fresh.items(), results(list(fresh.values())), strict=True):
            self._results[key] = result
            self._keep(key, values, result)
        self._done += len(batch) - len(fresh)
        return [self.trials[key].score for key in keys]

    def write_results(self) -> None:
        """Write down what came out since the last batch was."""
        if self._results:
            self._ledger.finish(self._plan.study, self._results)
            self._results = {}

    def _key(self, values: Values) -> str:
        try:
            fingerprint = self._plan.variants.fingerprint(values)
        except ConfigError:  # values that do not go together are a trial that fails
            fingerprint = hashlib.sha256(repr(self._plan.variants.named(values)).encode()).hexdigest()
        return self._plan.study.trial_key(fingerprint)

    def _keep(self, key: str, values: Values, result: Result) -> None:
        outcome, fault = (None, result) if isinstance(result, str) else (result, None)
        trial = Trial(
            place=len(self.trials),
            values=values,
            score=score(outcome, self._plan.study.objective),
            outcome=outcome,
            fault=fault,
        )
        self.trials[key] = trial
        if trial.score > (-math.inf if self._best is None else self._best.score):
            self._best = trial
        self._done += 1
        self._progress(self._done, self._total, self._best)


Results = Callable[[Sequence[Values]], Iterator[Result]]
"""Evaluates a batch: results in its order, as they come."""


@contextmanager
def _evaluating(plan: SweepPlan) -> Iterator[Results]:
    """Give what evaluates batches, in as many threads as the plan says.

    What can't be played shows here, before anything is written down.
    """
    evaluate = plan.prepare(plan.variants.setup, plan.wanted)

    def evaluated(values: Values) -> Result:
        try:
            return evaluate(plan.variants.setup_of(values))
        except (ConfigError, DataError) as fault:
            return str(fault)

    with side_by_side(plan.jobs) as mapped:
        yield lambda batch: mapped(evaluated, batch)
