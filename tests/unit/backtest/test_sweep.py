"""Sweeps: what is tried in which order, in however many threads, and what the ledger keeps of it."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.backtest.sweep import SweepPlan, SweepResult, Trial, sweep
from engine_alpha.backtest.sweeping.outcome import OBJECTIVES, Outcome, score
from engine_alpha.backtest.sweeping.sampling import GridSampler, OptunaSampler, RandomSampler, Sampler
from engine_alpha.backtest.sweeping.space import Axis
from engine_alpha.backtest.sweeping.threads import side_by_side
from engine_alpha.backtest.trials import TrialLedger, trials_known
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.profit_factor import profit_factor
from tests.unit.backtest.made_up_road import BAD_COOLDOWN, FATAL_COOLDOWN, a_plan, broken

STOPS, ENTRIES = "exits.stop.range=4:12:1", "entry[0].at_least=0.3:0.7:0.1"


@pytest.fixture(autouse=True)
def state_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep tests out of the developer's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))
    yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


def quiet(done: int, total: int, best: Trial | None) -> None:
    """Take no notice."""


def grid(plan: SweepPlan) -> GridSampler:
    return GridSampler(plan.variants.axes)


def run(home: Home, plan: SweepPlan, sampler: Sampler | None = None) -> SweepResult:
    return sweep(plan, sampler or grid(plan), TrialLedger(home), quiet)


def test_a_grid_is_every_combination_the_last_axis_fastest(home: Home) -> None:
    found = run(home, a_plan(home, "exits.stop.range=4,8", "entry[0].at_least=0.3,0.5,0.7"))
    assert [trial.values for trial in found.trials] == [
        (4, 0.3), (4, 0.5), (4, 0.7), (8, 0.3), (8, 0.5), (8, 0.7),
    ]  # fmt: skip
    assert [trial.place for trial in found.trials] == list(range(6))


def test_the_best_trial_is_the_best_place_and_the_worst_come_last(home: Home) -> None:
    found = run(home, a_plan(home, STOPS, ENTRIES))
    assert len(found.trials) == 45 and not found.interrupted
    assert abs(found.best[0].values[0] - 8) <= 2 and found.best[0].values[1] in (0.4, 0.5, 0.6)
    scores = [trial.score for trial in found.best]
    assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1]


def test_one_thread_and_three_find_the_same_in_the_same_order(home: Home) -> None:
    alone = run(home, a_plan(home, STOPS, ENTRIES, "risk:cooldown_bars=1,13"))
    beside = run(home, a_plan(home, STOPS, ENTRIES, "risk:cooldown_bars=1,13", jobs=3))
    assert len(alone.trials) == 90
    assert beside.trials == alone.trials and beside.best == alone.best


def test_every_trial_is_counted_and_repeating_the_sweep_adds_none(home: Home) -> None:
    first = run(home, a_plan(home, STOPS, ENTRIES))
    assert (first.new, first.ledger.known) == (45, 45)
    (group,) = first.ledger.groups
    assert (group.documents, group.trials, group.finished) == (("momentum-long",), 45, 45)
    again = run(home, a_plan(home, STOPS, ENTRIES))
    assert (again.new, again.ledger.known) == (0, 45) and again.trials == first.trials
    wider = run(home, a_plan(home, "exits.stop.range=3:12:1", ENTRIES))
    assert (wider.new, wider.ledger.known) == (5, 50)


def test_a_trial_that_fails_counts_says_why_and_ranks_last(home: Home) -> None:
    found = run(home, a_plan(home, "exits.stop.range=4,8", f"risk:cooldown_bars={BAD_COOLDOWN},1"))
    faults = {trial.values: trial.fault for trial in found.trials}
    assert faults[(4, BAD_COOLDOWN)] == "unlucky: no result with a cooldown of 13" and faults[(4, 1)] is None
    assert [trial.outcome is None for trial in found.best] == [False, False, True, True]
    assert found.ledger.known == 4 and found.ledger.groups[0].finished == 2


def test_values_that_do_not_go_together_are_a_trial_that_fails(home: Home) -> None:
    found = run(home, a_plan(home, "risk:buckets.core.share_frac=0.15,0.9"))
    fine, refused = found.trials
    assert fine.fault is None
    assert refused.fault is not None and "sub-accounts of the enabled assets add up to 1.8" in refused.fault
    assert found.ledger.known == 2


def test_work_side_by_side_comes_in_order_and_what_has_not_begun_is_dropped() -> None:
    before, begun = sys.getswitchinterval(), list[int]()

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.02 if number % 2 else 0.001)
        return number

    with side_by_side(3) as mapped:
        assert list(mapped(work, range(12))) == list(range(12))
    with pytest.raises(KeyboardInterrupt), side_by_side(2) as mapped:
        mapped(work, range(100, 200))
        raise KeyboardInterrupt
    assert len(begun) < 12 + 100 and sys.getswitchinterval() == before


def stop_after(trials: int) -> Callable[[int, int, Trial | None], None]:
    def progress(done: int, total: int, best: Trial | None) -> None:
        if done == trials:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_sweep_keeps_what_is_finished_and_counts_what_was_begun(home: Home, jobs: int) -> None:
    plan = a_plan(home, "exits.stop.range=1:12:0.1", ENTRIES, jobs=jobs)
    found = sweep(plan, grid(plan), TrialLedger(home), stop_after(70))
    assert found.interrupted and len(found.trials) == 70
    (group,) = found.ledger.groups
    assert (group.trials, group.finished) == (256, 70)
    whole = run(home, a_plan(home, "exits.stop.range=1:12:0.1", ENTRIES, jobs=jobs))
    assert whole.trials[:70] == found.trials
    assert whole.ledger.known == len(whole.trials) == 555


def test_what_can_not_be_played_is_said_before_anything_is_written_down(home: Home) -> None:
    for jobs in (1, 2):
        with pytest.raises(DataError, match="no 1h bars of ETHUSDT"):
            run(home, a_plan(home, STOPS, prepare=broken, jobs=jobs))
    assert trials_known(home) == 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mistake_of_ours_ends_the_sweep_and_its_trials_stay_counted(home: Home, jobs: int) -> None:
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        run(home, a_plan(home, f"risk:cooldown_bars=1,{FATAL_COOLDOWN},2", jobs=jobs))
    assert trials_known(home) == 3


def test_progress_tells_the_best_so_far(home: Home) -> None:
    told: list[tuple[int, int, float]] = []
    plan = a_plan(home, STOPS, ENTRIES)
    found = sweep(
        plan,
        grid(plan),
        TrialLedger(home),
        lambda done, total, best: told.append((done, total, best.score if best else 0.0)),
    )
    assert [done for done, _, _ in told] == list(range(1, 46)) and {total for _, total, _ in told} == {45}
    assert [best for _, _, best in told] == sorted(best for _, _, best in told)
    assert told[-1][2] == found.best[0].score


class Repeating:
    """Gives the same set in every batch, as a guided sampler may."""

    total = 6

    def __init__(self) -> None:
        self.told: list[list[float]] = []

    def batch(self) -> list[tuple[Any, ...]]:
        return [(8,), (8.0,), (4,)] if len(self.told) < 2 else []

    def tell(self, batch: Any, scores: Any) -> None:
        self.told.append(list(scores))


def test_equal_configurations_are_evaluated_and_listed_once(home: Home) -> None:
    sampler = Repeating()
    plan = a_plan(home, "exits.stop.range=4:12:1")
    found = sweep(plan, sampler, TrialLedger(home), quiet)
    assert [trial.values for trial in found.trials] == [(8,), (4,)]
    assert sampler.told == [[found.trials[0].score] * 2 + [found.trials[1].score]] * 2
    assert found.ledger.known == 2


def axes_of(home: Home, *texts: str) -> tuple[Axis, ...]:
    return a_plan(home, *texts).variants.axes


def given(sampler: Sampler) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    while batch := sampler.batch():
        sampler.tell(batch, [0.0] * len(batch))
        found.extend(batch)
    return found


def test_a_grid_without_a_step_or_too_large_is_refused(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"a grid needs a step, for example exits\.stop\.range=4:12:2"):
        GridSampler(axes_of(home, "exits.stop.range=4:12"))
    large = axes_of(home, "exits.stop.range=1:500:1", "entry[0].at_least=0.01:5:0.01")
    with pytest.raises(ConfigError, match=r"250,000 sets of parameters are more than 100,000.*--most 250000"):
        GridSampler(large)
    assert GridSampler(large, most=250_000).total == 250_000


def test_random_values_are_seeded_never_twice_and_inside_their_spans(home: Home) -> None:
    axes = axes_of(
        home,
        "exits.stop.range=4:12",
        "risk:risk_frac=0.0001:0.1:log",
        "exits.max_hold_bars=1:4",
        "scope.direction=long,short",
    )
    found = given(RandomSampler(axes, 2_000, 5))
    assert found == given(RandomSampler(axes, 2_000, 5)) != given(RandomSampler(axes, 2_000, 6))
    assert len(found) == len(set(found)) == 2_000
    stops, risks, holds, directions = zip(*found, strict=True)
    assert 4.0 <= min(stops) < 4.1 and 11.9 < max(stops) <= 12.0
    assert min(risks) >= 0.0001 and max(risks) <= 0.1
    assert sum(risk < 0.001 for risk in risks) / 2_000 == pytest.approx(1 / 3, abs=0.04), "a third per decade"
    assert [holds.count(each) / 2_000 for each in (1, 2, 3, 4)] == pytest.approx([0.25] * 4, abs=0.04)
    assert set(map(type, holds)) == {int} and set(directions) == {"long", "short"}


def test_a_random_sweep_of_a_small_space_ends_with_it(home: Home) -> None:
    found = given(RandomSampler(axes_of(home, "exits.stop.range=4,6", "scope.direction=long,both"), 50, 1))
    assert sorted(found) == [(4, "both"), (4, "long"), (6, "both"), (6, "long")]


@pytest.mark.parametrize("count", [0, -3, 100_001])
def test_a_silly_number_of_sets_is_refused(home: Home, count: int) -> None:
    with pytest.raises(ConfigError, match="give a number of sets between 1 and 100,000"):
        RandomSampler(axes_of(home, STOPS), count, 1)


def test_without_optuna_its_absence_is_explained(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"--optuna needs Optuna: .*pip install 'chloe\[research\]'"):
        OptunaSampler(axes_of(home, STOPS), 20, 1)


def guided(home: Home, jobs: int, seed: int) -> SweepResult:
    plan = a_plan(home, "exits.stop.range=1:40", ENTRIES, "scope.direction=long,both", jobs=jobs)
    return run(home, plan, OptunaSampler(plan.variants.axes, 60, seed))


def test_optuna_is_repeatable_whatever_the_number_of_threads_and_finds_the_place(home: Home) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed (extra research)")
    found = guided(home, 1, 7)
    assert guided(home, 2, 7).trials == found.trials != guided(home, 1, 8).trials
    assert abs(found.best[0].values[0] - 8) <= 3
    late = [abs(trial.values[0] - 8) for trial in found.trials[-20:]]
    early = [abs(trial.values[0] - 8) for trial in found.trials[:10]]
    assert sum(late) / 20 < sum(early) / 10, "what was told guides what is tried"


def outcome(*nets: float) -> Outcome:
    return Outcome(
        factor=profit_factor(nets),
        per_coin={},
        sharpe=1.5,
        max_drawdown_frac=0.2,
        daily=None,
        trades_sha256="",
    )


def test_objectives_are_what_they_say() -> None:
    found = outcome(3.0, -1.0, -1.0)
    assert score(found, "net") == 1.0 and score(found, "pf") == 1.5 and score(found, "sharpe") == 1.5
    assert score(found, "net_over_drawdown") == pytest.approx(5.0)
    assert found.factor.low is not None and score(found, "pf_low") == found.factor.low < 1.5


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_no_trades_rank_behind_any_loss(objective: str) -> None:
    nothing = replace(outcome(), sharpe=None, max_drawdown_frac=0.0)
    assert score(nothing, objective) == score(None, objective) == float("-inf")
    assert score(outcome(-5.0, 1.0), objective) > float("-inf")
