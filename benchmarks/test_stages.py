"""What each stage of the road costs, as plain Python and compiled.

    python -m pytest benchmarks --benchmark-enable --benchmark-only

Without these options every stage runs once, to see that it works.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.live import START_MS, BarsAtHand, home_with
from benchmarks.peers.bars import HOUR_MS, seeded_bars
from benchmarks.peers.runners.chloe import CARD, home_for, store
from benchmarks.peers.runners.contract import Rules as PeerRules
from benchmarks.peers.runners.contract import sweep_levels
from benchmarks.road.growth import laid_out
from benchmarks.road.homes import varied_texts
from engine_alpha.backtest.digesting import RunDigests
from engine_alpha.backtest.features import features_of
from engine_alpha.backtest.loop import play
from engine_alpha.backtest.outputs import Output
from engine_alpha.backtest.request import Overrides, backtest_setup
from engine_alpha.backtest.run import Road, output_of
from engine_alpha.backtest.stepping import World
from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.backtest.sweeping.variants import make_variants
from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.domain.lookback import BLOCK, WARMUP
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.decide import decide
from engine_alpha.kernel.indicators import indicators_of
from engine_alpha.kernel.money import NEW_TALLY, NO_OTHERS, new_account, new_sub_account
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.signals import SIGNALS, readable, signals_at
from engine_alpha.kernel.values import Bar, Facts, Features, Purse, Rules
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.tick import tick_all
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.step.recording import Labels
from engine_alpha.step.windows import window_of

COINS, BARS_EACH = 4, 2_500
DECIDED = COINS * BARS_EACH
MOST_BARS = 3_000
CALM = Facts(0, WARMUP + BLOCK, 0.0, 0, 1, 1, 0, 0, 1.0)


class Scene(NamedTuple):
    """What one bar is decided on."""

    purse: Purse
    rules: Rules
    bar: Bar
    features: Features


@pytest.fixture(scope="module")
def reading() -> Reading:
    """Return three thousand simulated hours and what a decision needs before them."""
    return EmbeddedFeed(1, {}).reading(
        "ETHUSDT", "1h", START_MS - (WARMUP + BLOCK) * HOUR_MS, START_MS + MOST_BARS * HOUR_MS
    )


@pytest.fixture(scope="module")
def window(reading: Reading) -> Bars:
    """Return the longest window there is: 960 bars."""
    numbers = reading.bars.open_ms // HOUR_MS
    last = int(np.flatnonzero(numbers % BLOCK == BLOCK - 1)[-1])
    return reading.bars.between(
        int(reading.bars.open_ms[last - WARMUP - BLOCK + 1]), int(reading.bars.close_ms[last])
    )


@pytest.fixture(scope="module")
def scenes(reading: Reading, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scene]:
    """Play a fresh home's cards on the simulated hours until there is a position."""
    path = tmp_path_factory.mktemp("scenes") / "home"
    init_home(path)
    setup = read_setup(Home(path))
    rules = setup.plan(next(each for each in setup.registry.assets if each.symbol == "ETHUSDT")).rules
    account = new_account(rules.risk.account_start_quote)
    tallies = [NEW_TALLY] * len(rules.cards)
    purse = Purse(new_sub_account(rules.asset.start_quote), account, NO_OTHERS, tallies)
    found: dict[str, Scene] = {}
    for at in range(WARMUP + BLOCK, len(reading.bars)):
        seen = window_of(reading, at)
        scene = Scene(purse, rules, seen.bar, seen.features(CALM))
        state = "flat" if purse.sub.position.side == 0 else "holding"
        found.setdefault(state, scene)
        if state == "holding":
            break
        purse, _ = advance(*scene)
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, History]:
    """Return the peers' home with 10,000 bars to decide on."""
    bars = seeded_bars(1, gaps=False, symbols=COINS, bars=PeerRules().first_signal_bar + BARS_EACH)
    home = home_for(bars, tmp_path_factory.mktemp("road") / "home")
    return home, store(bars, home)


@pytest.fixture(scope="module")
def road(stored: tuple[Home, History]) -> Road:
    """Return them laid out, the loop's machine code loaded."""
    return laid_out(*stored, Overrides())


def test_indicators_of_a_window(benchmark: BenchmarkFixture, window: Bars) -> None:
    known = benchmark(indicators_of, window, Funding())
    assert len(known.atr_14) == WARMUP + BLOCK


def test_signals_of_a_bar_from_its_indicators(benchmark: BenchmarkFixture, window: Bars) -> None:
    known = readable(indicators_of(window, Funding()))
    row = benchmark(signals_at, known, len(window) - 1)
    assert len(row) == len(SIGNALS)


def test_a_window_from_a_reading(benchmark: BenchmarkFixture, reading: Reading) -> None:
    found = benchmark(window_of, reading, len(reading.bars) - 1)
    assert found.bar.open_ms == reading.bars.open_ms[-1]


@pytest.mark.parametrize("state", ["flat", "holding"])
def test_settle_plain(benchmark: BenchmarkFixture, scenes: dict[str, Scene], state: str) -> None:
    scene = scenes[state]
    sub, _ = benchmark(settle, scene.purse.sub, scene.rules.asset, scene.rules.risk, scene.bar)
    assert sub.start_quote == scene.purse.sub.start_quote


@pytest.mark.parametrize("state", ["flat", "holding"])
def test_decide_plain(benchmark: BenchmarkFixture, scenes: dict[str, Scene], state: str) -> None:
    decision = benchmark(decide, *scenes[state])
    assert len(decision.gates) > 0


@pytest.mark.parametrize("state", ["flat", "holding"])
def test_advance_plain(benchmark: BenchmarkFixture, scenes: dict[str, Scene], state: str) -> None:
    _, record = benchmark(advance, *scenes[state])
    assert record.open_ms == scenes[state].bar.open_ms


def test_features_of_a_block(benchmark: BenchmarkFixture, window: Bars) -> None:
    features_of(window, Funding(), WARMUP)  # loads the machine code
    table = benchmark(features_of, window, Funding(), WARMUP)
    assert len(table.rows) >= BLOCK


def fresh_world(road: Road, records: bool) -> World:
    """Return a run before its first bar, with room for every record."""
    out = output_of(road, DECIDED + 8 * COINS if records else 0, DECIDED)
    return World(road.settings, road.columns, road.state(), out, int(records), road.setup.risk.equity_quote)


def played(world: World, road: Road) -> Output:
    """Play all of it."""
    play(world, road.ticks, road.due, np.array([0, len(road.ticks)]))
    return world.out


@pytest.mark.parametrize("records", [False, True], ids=["quiet", "every_record"])
def test_the_compiled_loop_over_10_000_bars(benchmark: BenchmarkFixture, road: Road, records: bool) -> None:
    def anew() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (fresh_world(road, records), road), {}

    out = benchmark.pedantic(played, setup=anew, rounds=30, warmup_rounds=1)
    assert out.steps.sum() == DECIDED
    assert out.counts[0] == (DECIDED if records else 0)


def test_digests_of_10_000_records(benchmark: BenchmarkFixture, road: Road) -> None:
    out = played(fresh_world(road, records=True), road)

    def hashed() -> tuple[str, str]:
        digests = RunDigests(road.settings)
        digests.add(out)
        return digests.hexes()

    decisions, ledger = benchmark(hashed)
    assert decisions != ledger


def test_a_set_of_a_sweep_over_10_000_bars(benchmark: BenchmarkFixture, stored: tuple[Home, History]) -> None:
    home, wanted = stored
    variants = make_variants(backtest_setup(home, wanted, Overrides()), varied_texts(), CARD)
    evaluate = prepare(variants.setup, wanted)
    outcome = benchmark(lambda: evaluate(variants.setup_of(sweep_levels()[0])))
    assert outcome.factor.trades > 0


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Any]:
    """Give what makes the next hourly tick of twelve assets, fsync included."""
    setup = read_setup(home_with(tmp_path / "home", 12))
    clock = FixedClock(START_MS - HOUR_MS)
    labels = Labels(account="bench", mode="paper", feed="at hand")
    with wiring.opened(setup, labels, BarsAtHand(setup.order, 12), clock, frozen=True) as engine:
        hour = 0

        def tick() -> Any:
            nonlocal hour
            clock.set(START_MS + hour * HOUR_MS)
            hour += 1
            return tick_all(engine, announce=False)

        yield tick


def test_a_live_tick_of_12_assets(benchmark: BenchmarkFixture, ticking: Any) -> None:
    report = benchmark.pedantic(ticking, rounds=30, warmup_rounds=1)
    assert [len(step.bars) for step in report.steps] == [1] * 12
