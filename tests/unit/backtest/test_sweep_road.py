"""Sweeps on the compiled road: every set comes out as a whole backtest of that configuration does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest import History
from engine_alpha.backtest.request import Overrides, backtest_setup
from engine_alpha.backtest.sweeping.road import history_sha256, prepare
from engine_alpha.backtest.sweeping.variants import Variants, make_variants
from engine_alpha.config.card_settings import CardSettings
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.plans.setup import Setup
from engine_alpha.store.months import write_bars
from tests.parity.configurations import configuration
from tests.parity.stored import THREE, series, store, wanted
from tests.unit.backtest.both_roads import in_full
from tests.unit.loop.runs import LONG_HELD, QUICK, a_home

SHADOW = {**QUICK, "name": "shadow", "status": "shadow"}
KEYS = ("quick:exits.stop.atr=0.5:6", "risk:cooldown_bars=0:12", "quick:exits.max_hold_bars=3:24")
SETS = [(1.5, 1, 6), (0.5, 0, 3), (6.0, 12, 24), (1.5, 1, 24), (3.0, 5, 12)]


@pytest.fixture(autouse=True)
def folders_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated columns out of the developer's cache; compiled code stays where it is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return wanted(store(tmp_path / "data", series()), hours=900)


def variants_of(tmp_path: Path, history: History) -> Variants:
    home = a_home(tmp_path / "home", enabled=THREE, cards=(QUICK, SHADOW))
    return make_variants(backtest_setup(home, history, Overrides()), KEYS)


def test_each_set_comes_out_as_a_whole_backtest_of_it(tmp_path: Path, history: History) -> None:
    variants = variants_of(tmp_path, history)
    evaluate = prepare(variants.setup, history)
    hashes = set()
    for values in SETS:
        setup = variants.setup_of(values)
        found, (expected, played) = evaluate(setup), in_full(setup, history)
        assert replace(found, daily=None) == expected, values
        assert found.trades > 30 and bool((played.closed()[1][:, 1] >= 0).any()), "shadow cards traded"
        hashes.add(found.trades_sha256)
    assert len(hashes) == len(SETS), "every set made other trades"


def test_a_set_leaves_nothing_behind_for_the_next(tmp_path: Path, history: History) -> None:
    variants = variants_of(tmp_path, history)
    evaluate = prepare(variants.setup, history)
    first = [evaluate(variants.setup_of(values)) for values in SETS]
    again = [evaluate(variants.setup_of(values)) for values in reversed(SETS)]
    assert first == again[::-1]


def test_random_homes_come_out_alike_on_both_roads(tmp_path: Path) -> None:
    compared = trades = 0
    for seed in range(16):
        make_home, history = configuration(seed, tmp_path / f"data-{seed}")
        try:
            setup = backtest_setup(make_home(tmp_path / f"home-{seed}"), history, Overrides())
            evaluate = prepare(setup, history)
        except ConfigError:  # a coin of this configuration can't run, and a sweep refuses it
            continue
        expected, _ = in_full(setup, history)
        assert replace(evaluate(setup), daily=None) == expected, f"configuration {seed}"
        compared, trades = compared + 1, trades + expected.trades
    assert compared >= 10 and trades >= 100


def test_sets_that_play_in_threads_come_out_as_one_after_another(tmp_path: Path, history: History) -> None:
    variants = variants_of(tmp_path, history)
    evaluate = prepare(variants.setup, history)
    setups = [variants.setup_of(values) for values in SETS] * 8
    alone = [evaluate(setup) for setup in setups]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(evaluate, setups)) == alone


def test_daily_returns_are_moments_of_the_account(tmp_path: Path, history: History) -> None:
    variants = variants_of(tmp_path, history)
    found = prepare(variants.setup, history)(variants.setup)
    assert found.daily is not None and found.sharpe is not None
    assert found.daily.days in (36, 37) and found.daily.sharpe * 365**0.5 == pytest.approx(found.sharpe)


def test_without_a_trade_nothing_is_made_up(tmp_path: Path, history: History) -> None:
    never = {**LONG_HELD, "entry": [{"signal": "momentum_24", "at_least": 1000.0}]}
    home = a_home(tmp_path / "home", enabled=THREE, cards=(never,))
    setup = backtest_setup(home, history, Overrides())
    found = prepare(setup, history)(setup)
    assert (found.trades, found.factor.value, found.sharpe, found.daily) == (0, None, None, None)
    assert found.max_drawdown_frac == 0.0


CALIBRATED = ((0.05, 0.1), (0.2, 0.3), (0.3, 0.3), (0.6, 0.9))


def with_sets(setup: Setup, **changes: dict[str, Any]) -> Setup:
    """Return the setup with thresholds of each coin's own."""
    sets = {symbol: setup.set_of(symbol) for symbol in THREE}
    for symbol, fields in changes.items():
        own = sets[symbol]
        sets[symbol] = replace(own, version=f"{symbol}-1", parameters=own.parameters._replace(**fields))
    return replace(setup, sets=sets, made={})


SETS_OF_COINS: tuple[dict[str, dict[str, Any]], ...] = (
    {"ETHUSDT": {"confidence_min": 0.35}},
    {"ETHUSDT": {"confidence_min": 0.35, "neutral_zone": 0.4}, "BTCUSDT": {"neutral_zone": 0.2}},
    {"BTCUSDT": {"regimes_allowed": 0b0101}},
    {"ETHUSDT": {"calibration": CALIBRATED, "confidence_min": 0.3}},
    {"ETHUSDT": {"calibration": CALIBRATED, "confidence_min": 0.31}, "BTCUSDT": {"calibration": ((0, 0.2),)}},
    {},
)


def test_thresholds_of_each_coins_own_come_out_as_a_whole_backtest_of_them(
    tmp_path: Path, history: History
) -> None:
    home = a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,))
    setup = backtest_setup(home, history, Overrides())
    evaluate = prepare(setup, history)
    hashes = set()
    for changes in SETS_OF_COINS:
        varied = with_sets(setup, **changes)
        found, (expected, _) = evaluate(varied), in_full(varied, history)
        assert replace(found, daily=None) == expected, changes
        versions = {plan.asset.symbol: plan.parameters_version for plan in evaluate.swept(varied).plans}
        assert {symbol for symbol, version in versions.items() if version.endswith("-1")} >= set(changes)
        hashes.add(found.trades_sha256)
    assert len(hashes) == len(SETS_OF_COINS), "every set made other trades"
    assert evaluate(setup) == evaluate(with_sets(setup))


def test_cards_of_a_coins_own_come_out_as_a_whole_backtest_of_them(tmp_path: Path, history: History) -> None:
    home = a_home(tmp_path / "home", enabled=THREE, cards=(QUICK, SHADOW))
    setup = backtest_setup(home, history, Overrides())
    evaluate = prepare(setup, history)
    own = {"quick": CardSettings(changes={"exits.stop.atr": 3.0}), "shadow": CardSettings(status="active")}
    sets = {"ETHUSDT": replace(setup.set_of("ETHUSDT"), cards=own)}
    varied = replace(setup, sets=sets, made={})
    found, before = evaluate(varied), evaluate(setup)
    assert replace(found, daily=None) == in_full(varied, history)[0]
    assert found.per_coin["ETHUSDT"] != before.per_coin["ETHUSDT"]


@pytest.mark.parametrize("field", ["trend_on", "trend_off", "volatile_on", "volatile_off", "weights"])
def test_a_set_that_changes_scores_or_regimes_needs_a_preparation_of_its_own(
    tmp_path: Path, history: History, field: str
) -> None:
    setup = backtest_setup(a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,)), history, Overrides())
    evaluate = prepare(setup, history)
    other = ((1.0,) * 5,) * 4 if field == "weights" else 0.5
    with pytest.raises(ConfigError, match=rf"BTCUSDT: parameters BTCUSDT-1 .* in {field}: .*prepare"):
        evaluate(with_sets(setup, BTCUSDT={field: other}))


def test_a_key_that_a_coin_has_its_own_value_of_can_not_be_swept(tmp_path: Path, history: History) -> None:
    setup = backtest_setup(a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,)), history, Overrides())
    own = {"quick": CardSettings(changes={"exits.stop.atr": 3.0})}
    held = replace(setup, sets={"ETHUSDT": replace(setup.set_of("ETHUSDT"), cards=own)}, made={})
    with pytest.raises(ConfigError, match=r"ETHUSDT has its own exits\.stop\.atr of quick .*--symbols"):
        make_variants(held, ["quick:exits.stop.atr=1,2"])
    make_variants(held, ["quick:exits.max_hold_bars=3,4"])


def test_a_coin_without_bars_is_refused(tmp_path: Path, history: History) -> None:
    home = a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,))
    more = replace(history, symbols=(*THREE, "SOLUSDT"))
    setup = backtest_setup(home, more, Overrides())
    with pytest.raises(ConfigError, match=r"SOLUSDT: .*no 1h bars of SOLUSDT"):
        prepare(setup, more)
    with pytest.raises(DataError, match="no 1h bars of SOLUSDT"):
        history_sha256(setup, more)


def test_the_detail_can_not_be_varied(tmp_path: Path, history: History) -> None:
    home = a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,))
    variants = make_variants(backtest_setup(home, history, Overrides()), ['risk:detail=null,"1m"'])
    evaluate = prepare(variants.setup, history)
    with pytest.raises(ConfigError, match="risk:detail can't be varied"):
        evaluate(variants.setup_of(("1m",)))


def test_the_hash_of_a_history_is_that_of_what_can_be_read(tmp_path: Path, history: History) -> None:
    setup = backtest_setup(a_home(tmp_path / "home", enabled=THREE), history, Overrides())
    before = history_sha256(setup, history)
    bars = series()["ETHUSDT"]

    def after(place: int, **changes: float) -> str:
        columns = {name: getattr(bars, name).copy() for name in changes}
        for name, value in changes.items():
            columns[name][place] = value
        write_bars(history.data, "bybit", "ETHUSDT", "1h", replace(bars, **columns))
        return history_sha256(setup, history)

    read = int(np.searchsorted(bars.open_ms, history.from_ms)) + 10
    assert after(0) == before, "nothing was changed"
    assert after(0, volume=1.0) == before, "long before anything is read"
    assert after(-1, volume=1.0) == before, "after the end"
    assert after(read, volume=1.0) != before
    assert after(read - 200, volume=1.0) != before, "only the signals of the first bar read it"
