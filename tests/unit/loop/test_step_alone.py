"""`run_step_live(symbol, timeframe)` of the spec: one asset, called directly, as before."""

from pathlib import Path

import pytest

from engine_alpha.errors import ConfigError, LockHeld
from engine_alpha.home import Home, init_home
from engine_alpha.loop import run_step_live
from engine_alpha.loop.lock import account_lock
from engine_alpha.loop.multi_asset_runner import run_all_live_symbols
from tests.unit.loop.runs import assert_sound, enable, journal_of, set_asset, views


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a fresh home and let it be the current one."""
    init_home(tmp_path / "home")
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


def test_eth_alone_leaves_one_decision(home: Home) -> None:
    first, second = run_step_live("ETHUSDT", "1h"), run_step_live("ETHUSDT", "1h")
    assert first.status == "decided" and len(first.bars) == 1
    assert second.status == "already" or second.open_ms > first.open_ms
    journal = journal_of(home, "simulated")
    assert_sound(journal)
    journal.close()


def test_another_timeframe_is_refused_with_the_remedy(home: Home) -> None:
    with pytest.raises(
        ConfigError, match=r"ETHUSDT is traded at 1h, not 4h: change base_timeframe in .* or ask for 1h"
    ):
        run_step_live("ETHUSDT", "4h")
    assert journal_empty(home)


def test_an_unknown_symbol_is_refused(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"NOPEUSDT is not in .*asset_registry\.json: add it"):
        run_step_live("NOPEUSDT", "1h")
    assert journal_empty(home)


def test_a_broken_entry_is_refused_with_its_fault(home: Home) -> None:
    set_asset(home, "ETHUSDT", venue="moon")
    with pytest.raises(ConfigError, match=r"ETHUSDT\.venue"):
        run_step_live("ETHUSDT", "1h")


def test_a_disabled_asset_is_decided_without_entries(home: Home) -> None:
    report = run_step_live("BTCUSDT", "1h")
    assert report.status == "decided"
    assert report.bars[0].record.decision.pending.side == 0
    journal = journal_of(home, "simulated")
    enabled = next(gate for gate in views(journal, "BTCUSDT")[0]["gates"] if gate["name"] == "enabled")
    assert not enabled["passed"]
    journal.close()


def test_it_shares_the_account_with_the_runner(home: Home) -> None:
    enable(home, "ETHUSDT", "BTCUSDT")
    report = run_step_live("ETHUSDT", "1h")
    tick = run_all_live_symbols()
    assert tick.exit_code == 0 and tick.enabled == 2
    if tick.steps[0].open_ms == report.open_ms:
        assert [step.status for step in tick.steps] == ["already", "decided"]


def test_it_needs_the_accounts_lock(home: Home) -> None:
    with account_lock(home.account("simulated")), pytest.raises(LockHeld):
        run_step_live("ETHUSDT", "1h")


def journal_empty(home: Home) -> bool:
    journal = journal_of(home, "simulated")
    try:
        return next(iter(journal.events()), None) is None
    finally:
        journal.close()
