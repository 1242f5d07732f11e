"""The random configurations reach what they are for: every gate says no, every exit and refusal happens."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed, nothing to run")

from engine_alpha.backtest import BacktestResult, run
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import ACCOUNT_GATES, EXITS, OWN_GATES
from tests.makers import HOUR_MS
from tests.parity.configurations import CONFIGURATIONS, configuration
from tests.parity.drawn_series import without_column_cache

NEVER_IN_HISTORY = {"enabled", "not_halted"}
"""Gates that a run over history always passes: it plays the coins it is asked for, and no person halts it."""
REASONS = {
    *("stale", "missing", "empty", "frozen", "absurd_jump", "config", "missing_series"),
    *(
        "nan",
        "not_positive",
        "impossible_bar",
        "impossible_mark",
        "off_grid",
        "duplicated",
        "unreadable_file",
    ),
}


def played(seed: int, folder: Path) -> BacktestResult | None:
    """Return the seed's backtest, None where it has no bar."""
    make_home, history = configuration(seed, folder / f"data-{seed}")
    try:
        return run(make_home(folder / f"home-{seed}"), history)
    except ConfigError:
        return None
    finally:
        shutil.rmtree(history.data)


def test_a_configuration_is_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_column_cache(monkeypatch, tmp_path)
    one, two = (played(7, tmp_path / name) for name in ("one", "two"))
    assert one is not None and two is not None
    assert (one.decisions_sha256, one.trades) == (two.decisions_sha256, two.trades)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_gate_exit_and_refusal_occurs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_column_cache(monkeypatch, tmp_path)
    gates: Counter[str] = Counter()
    exits: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    details: Counter[str] = Counter()
    for seed in range(CONFIGURATIONS):
        result = played(seed, tmp_path)
        if result is None:
            continue
        for coin in result.coins:
            gates.update(coin.failed)
            details[f"timeframe {coin.timeframe_ms // (HOUR_MS // 4)} quarters"] += 1
        exits.update(trade.exit_reason for trade in result.trades)
        for _, reason, count in result.no_decisions:
            reasons[reason] += count
        details["shadow trades"] += len(result.shadow_trades)
        details["ambiguous"] += result.ambiguous
        details["unknown funding"] += result.funding_unknown_bars
        details["funded"] += sum(trade.funding_quote != 0.0 for trade in result.trades)
    assert set(OWN_GATES + ACCOUNT_GATES) - (+gates).keys() == NEVER_IN_HISTORY
    assert set(EXITS[1:]) - exits.keys() == set()
    assert REASONS - (+reasons).keys() == set()
    assert min(details.values()) >= 10, details
    assert sum(exits.values()) >= 1_000
