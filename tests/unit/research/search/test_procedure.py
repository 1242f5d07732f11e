"""The procedure finds a planted edge, looks at nothing ahead of its choices, and counts every trial."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.backtest.trials import TrialLedger
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.research.executing import Here, Kept, Processes, UnitRunner, pool_of
from engine_alpha.research.search.judging import at_most
from engine_alpha.research.search.playing import Unit, play
from engine_alpha.research.search.procedure import Investigation, Request, folds_of, investigate
from engine_alpha.research.search.space import card_spaces
from engine_alpha.research.search.walking import NOT_TRADED, choose
from tests.unit.research.search.markets import CARDS, a_market, a_request, garbled_after, stored, terms

LENIENT = {
    "min_trades": 10,
    "psr_min": 0.85,
    "card_psr_min": 0.6,
    "dsr_min": 0.4,
    "pbo_max": 0.9,
    "own_edge": 0.6,
}


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    return a_request(a_market(), tmp_path_factory.mktemp("market") / "home", terms(**LENIENT))


@pytest.fixture(scope="module")
def found(request_: Request) -> Investigation:
    return investigate(request_)


def test_a_strong_edge_is_proposed_with_the_card_that_has_it(found: Investigation) -> None:
    assert [proposal.passes for proposal in found.proposals] == [True, True]
    for proposal in found.proposals:
        assert "momentum-long" in [card.card for card in proposal.cards]
        assert proposal.expected is not None and proposal.expected.factor is not None
        assert 1.0 < proposal.expected.factor < (proposal.factor.value or 0.0)
        assert all(test.passed for test in proposal.tests if test.name.startswith("momentum-long:"))


def test_the_rate_on_null_markets_is_a_gate_like_any_other(request_: Request) -> None:
    often = at_most("null_rate", 0.2, 0.05, "how often it fires on nothing")
    refused = investigate(request_, null_rate=often)
    assert not any(proposal.passes for proposal in refused.proposals)
    assert all(proposal.tests[-1] == often for proposal in refused.proposals)


def test_choices_see_nothing_that_comes_after_them(
    request_: Request, found: Investigation, tmp_path: Path
) -> None:
    market = a_market()
    for place, fold in enumerate(found.folds):
        other = {
            symbol: garbled_after(bars, fold.train_end_ms, seed=place) for symbol, bars in market.bars.items()
        }
        asked = replace(stored(other, tmp_path / str(place), request_.history), terms=request_.terms)
        again = investigate(asked)
        for before, here, there in zip(found.folds[: place + 1], found.choices, again.choices, strict=False):
            assert before.train_end_ms <= fold.train_end_ms
            np.testing.assert_array_equal(here.places, there.places)
            np.testing.assert_array_equal(here.thresholds, there.thresholds)


def test_every_choice_ends_before_its_fold_and_the_embargo(request_: Request, found: Investigation) -> None:
    embargo_ms = request_.terms.walk_forward.embargo_days * DAY_MS
    for choice, fold in zip(found.choices, found.folds, strict=True):
        assert choice.end_ms == fold.train_end_ms
        assert choice.end_ms + embargo_ms <= fold.test_from_ms
    assert found.folds == folds_of(request_)


def test_out_of_sample_trades_are_those_of_the_choice_entered_in_its_fold(found: Investigation) -> None:
    for at, walked in enumerate(found.walked):
        for number, (fold, choice) in enumerate(zip(found.folds, found.choices, strict=True)):
            for coin, trades in enumerate(walked.trades[number]):
                place = int(choice.places[at, coin])
                if place == NOT_TRADED:
                    assert len(trades.r) == 0
                    continue
                result = found.played[at].results[coin]
                rows = result.trades(place)
                entries = result.entry_ms[rows]
                inside = (entries >= fold.test_from_ms) & (entries < fold.test_to_ms)
                np.testing.assert_array_equal(trades.r, result.r[rows][inside])


def test_a_day_is_worth_what_the_account_made_in_it(found: Investigation) -> None:
    result = found.played[0].results[0]
    for place in range(len(result.daily)):
        trades = result.r[result.trades(place)]
        assert result.daily[place].sum() == pytest.approx(trades.sum(), abs=2.5)  # one may be open at the end
        assert (result.ranked[place] <= result.daily[place]).all()


def test_trials_are_counted_before_they_are_played_and_once_a_month(
    request_: Request, tmp_path: Path
) -> None:
    ledger = TrialLedger(request_.setup.home)
    trials = sum(len(space.variants) for space in card_spaces(request_.setup, request_.terms.search))
    stopped: list[int] = []

    def interrupted(units):  # type: ignore[no-untyped-def]
        stopped.append(ledger.summary().listed)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        investigate(request_, run=interrupted, ledger=ledger)
    assert stopped == [trials]
    first = investigate(request_, ledger=ledger)
    assert first.night is not None and first.night.trials.ever == trials
    day_more = replace(request_, history=replace(request_.history, to_ms=request_.history.to_ms - DAY_MS))
    assert investigate(day_more, ledger=ledger).night.trials.ever == trials  # type: ignore[union-attr]
    month = replace(request_, history=replace(request_.history, to_ms=request_.history.to_ms - 40 * DAY_MS))
    later = investigate(month, ledger=ledger)
    assert later.night is not None and later.night.trials.ever == 2 * trials
    assert later.night.trials.counted == pytest.approx(2.0 * later.night.trials.effective)
    report = ledger.check()
    assert report is not None and report.sound


def test_a_coin_without_bars_is_a_fault_of_its_own(request_: Request) -> None:
    more = replace(request_.history, symbols=(*request_.history.symbols, "SOLUSDT"))
    asked = replace(
        request_,
        history=more,
        setup=replace(
            request_.setup,
            registry=replace(
                request_.setup.registry,
                assets=tuple(
                    replace(asset, enabled=asset.symbol in more.symbols)
                    for asset in request_.setup.registry.assets
                ),
            ),
            made={},
        ),
    )
    found = investigate(asked)
    assert list(found.faults) == ["SOLUSDT"] and "SOLUSDT" in found.faults["SOLUSDT"]
    assert [proposal.symbol for proposal in found.proposals] == list(request_.history.symbols)


def test_a_coin_listed_last_month_is_not_traded(request_: Request, tmp_path: Path) -> None:
    bars = dict(a_market().bars)
    young = list(bars)[1]
    bars[young] = bars[young].between(int(bars[young].open_ms[-1]) - 30 * DAY_MS, 2**60)
    found = investigate(replace(stored(bars, tmp_path / "home", request_.history), terms=request_.terms))
    assert found.faults == {}
    assert found.final is not None and (found.final.places[:, 1] == NOT_TRADED).all()
    assert not found.proposals[1].passes


def test_a_card_that_is_not_there_is_named(request_: Request) -> None:
    asked = replace(request_, terms=terms({"momentum-lang": []}))
    with pytest.raises(ConfigError, match=r'no card "momentum-lang"; .*momentum-long'):
        investigate(asked)


def units_of(request: Request) -> list[Unit]:
    return [
        Unit(space=space, history=replace(request.history, symbols=(symbol,)), extra_cost_bps=2.0)
        for symbol in request.history.symbols
        for space in card_spaces(request.setup, request.terms.search)
    ]


def hashes(results) -> list[str]:  # type: ignore[no-untyped-def]
    return [result.sha256() for result in results]


def test_numbers_do_not_depend_on_where_they_are_played(request_: Request, tmp_path: Path) -> None:
    units = units_of(request_)
    here = hashes(UnitRunner(Here())(units))
    with pool_of("processes", 2) as pool:
        runner = UnitRunner(pool, Kept(tmp_path / "units"))
        assert hashes(runner(units)) == here
        assert (runner.done.played, runner.done.kept) == (len(units), 0)
    again = UnitRunner(Here(), Kept(tmp_path / "units"))
    assert hashes(again(units)) == here
    assert (again.done.played, again.done.kept) == (0, len(units))


def test_a_damaged_result_is_played_again(request_: Request, tmp_path: Path) -> None:
    units = units_of(request_)[:1]
    here = hashes(UnitRunner(Here(), Kept(tmp_path))(units))
    file = next(tmp_path.glob("*.npz"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    runner = UnitRunner(Here(), Kept(tmp_path))
    assert hashes(runner(units)) == here
    assert runner.done.played == 1


class Unlucky(Processes):
    """A pool one of whose workers is killed right after the work was handed out."""

    killed = False

    def executor(self) -> ProcessPoolExecutor:
        pool = super().executor()
        assert isinstance(pool, ProcessPoolExecutor)
        if not self.killed:
            self.killed = True
            os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        return pool


@pytest.mark.slow
def test_a_worker_killed_while_work_is_handed_out_costs_no_result(request_: Request, tmp_path: Path) -> None:
    units = units_of(request_)
    here = hashes(UnitRunner(Here())(units))
    pool = Unlucky(2)
    try:
        runner = UnitRunner(pool, Kept(tmp_path))
        assert hashes(runner(units)) == here
        assert runner.done.lost >= 1
    finally:
        pool.close()


def test_a_killed_worker_costs_its_units_alone(request_: Request, tmp_path: Path) -> None:
    units = units_of(request_)
    here = hashes(UnitRunner(Here())(units))
    pool = Processes(2)
    try:
        runner, found = UnitRunner(pool, Kept(tmp_path)), []
        for result in runner(units):
            found.append(result)
            if len(found) == 1:
                executor = pool.executor()
                assert isinstance(executor, ProcessPoolExecutor)
                os.kill(next(iter(executor._processes)), signal.SIGKILL)
        assert hashes(found) == here
    finally:
        pool.close()


def test_only_tonights_results_are_kept(request_: Request, tmp_path: Path) -> None:
    first, *others = units_of(request_)
    list(UnitRunner(Here(), Kept(tmp_path))([first, *others]))
    tonight = Kept(tmp_path)
    list(UnitRunner(Here(), tonight)([first]))
    tonight.forget_unused()
    assert [path.stem for path in tmp_path.glob("*.npz")] == [first.key]


def test_the_unit_key_follows_all_that_decides(request_: Request) -> None:
    unit = units_of(request_)[0]
    assert unit.key == units_of(request_)[0].key
    assert replace(unit, extra_cost_bps=3.0).key != unit.key
    assert replace(unit, history=replace(unit.history, to_ms=unit.history.to_ms - DAY_MS)).key != unit.key


@pytest.mark.parametrize("wanted", ["threads", "ray://x", ""])
def test_an_executor_that_is_not_there_is_explained(wanted: str) -> None:
    with pytest.raises(ConfigError, match=r"write processes, or dask://host:port"), pool_of(wanted, 2):
        pass


def test_choosing_needs_half_a_year_of_days(request_: Request, found: Investigation) -> None:
    early = choose(found.played, request_.history.from_ms + 150 * DAY_MS)
    assert (early.places == NOT_TRADED).all()


def test_neighbours_are_one_step_away(request_: Request) -> None:
    space = card_spaces(request_.setup, request_.terms.search)[0]
    for place, around in enumerate(space.neighbours()):
        for other in around.tolist():
            here, there = space.named(place), space.named(other)
            assert sum(here[key] != there[key] for key in here) == 1
            assert place in space.neighbours()[other]
    assert len(space.variants) == 8 and set(CARDS) == {"momentum-long", "range-breakout"}
    assert play(units_of(request_)[0]).card == "momentum-long"
