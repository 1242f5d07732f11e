"""The text of the units: one source, paths as systemd reads them, a calendar that meets every close."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.deploy.units import (
    NIGHTLY,
    ONCE,
    RESEARCH,
    SERVICE,
    STANDARD,
    TIMER,
    Installation,
    argument,
    calendar,
    unit_text,
    watchdog_s,
    word,
)
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import ConfigError

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def value(text: str, key: str) -> str:
    found = [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]
    assert len(found) == 1, (key, found)
    return found[0]


@pytest.mark.parametrize("name", STANDARD.units)
def test_the_files_in_deploy_are_what_would_be_installed_at_the_standard_places(name: str) -> None:
    kept = (DEPLOY / name).read_text(encoding="utf-8")
    assert kept == unit_text(name, STANDARD), "write them anew: python -m engine_alpha.deploy deploy"


@pytest.mark.parametrize("name", STANDARD.units)
@pytest.mark.parametrize("user", ["chloe", None])
def test_no_unit_keeps_a_marker_of_its_template(name: str, user: str | None) -> None:
    text = unit_text(name, replace(STANDARD, user=user))
    words = [line for line in text.splitlines() if not line.startswith("SystemCallFilter=")]
    assert not [line for line in words if "@" in line]


def test_paths_are_written_as_systemd_reads_them() -> None:
    assert word(Path("/opt/chloe")) == "/opt/chloe"
    assert word(Path("/opt/my chloe/100%")) == '"/opt/my chloe/100%%"'
    assert argument(Path("/srv/$HOME")) == "/srv/$$HOME"
    assert word(Path("/srv/$HOME")) == "/srv/$HOME"


@pytest.mark.parametrize("path", ['/opt/a"b', "/opt/a\\b", "/opt/a\nb", "/opt/it's", "/opt/a ", "opt/chloe"])
def test_a_path_that_no_unit_can_hold_is_refused_with_what_to_do(path: str) -> None:
    with pytest.raises(ConfigError, match="use a folder with a plainer name"):
        unit_text(SERVICE, replace(STANDARD, home=Path(path)))


def test_a_home_below_var_lib_is_systemd_s_to_make_any_other_is_opened_for_writing() -> None:
    text = unit_text(SERVICE, replace(STANDARD, home=Path("/var/lib/second")))
    assert value(text, "StateDirectory") == "second" and "ReadWritePaths" not in text
    text = unit_text(SERVICE, replace(STANDARD, home=Path("/srv/my trades")))
    assert value(text, "ReadWritePaths") == '"/srv/my trades"'
    assert value(text, "StateDirectory") == "chloe"


@pytest.mark.parametrize(
    "change",
    [
        {"prefix": Path("/home/me/venv")},
        {"home": Path("/home/me/trading")},
        {"sources": (Path("/root/python"),)},
    ],
)
def test_homes_of_users_are_hidden_unless_something_of_chloe_s_lies_there(change: dict[str, object]) -> None:
    assert value(unit_text(SERVICE, STANDARD), "ProtectHome") == "yes"
    moved: Installation = replace(STANDARD, **change)  # type: ignore[arg-type]
    assert value(unit_text(SERVICE, moved), "ProtectHome") == "read-only"


def test_a_user_s_own_unit_asks_for_nothing_that_only_root_s_manager_can_give() -> None:
    text = unit_text(SERVICE, replace(STANDARD, user=None))
    for key in ("User=", "StateDirectory=", "LoadCredential=", "ProtectSystem=", "PrivateTmp=", "OOMScore"):
        assert key not in text
    assert value(text, "WantedBy") == "default.target"
    assert value(text, "NoNewPrivileges") == value(text, "MemoryDenyWriteExecute") == "yes"


def test_the_service_is_watched_and_comes_back_but_not_with_a_configuration_only_an_edit_mends() -> None:
    text = unit_text(SERVICE, STANDARD)
    assert value(text, "Type") == "notify" and value(text, "NotifyAccess") == "main"
    assert value(text, "Restart") == "on-failure" and value(text, "StartLimitIntervalSec") == "0"
    assert value(text, "RestartPreventExitStatus") == "2"
    assert int(value(text, "TimeoutStopSec")) >= 2 * 5


def test_every_credential_is_looked_for_in_the_credential_store_so_that_none_has_to_be_there() -> None:
    lines = [line for line in unit_text(SERVICE, STANDARD).splitlines() if line.startswith("LoadCredential=")]
    names = ("bybit.key", "bybit.secret", "binance.key", "binance.secret", "alerts.json")
    assert lines == [f"LoadCredential={name}:chloe.{name}" for name in names]


def test_the_watchdog_waits_several_times_as_long_as_one_fetch_may_take() -> None:
    assert watchdog_s(10_000) == 180
    for deadline_ms in (60_000, 600_000):
        assert watchdog_s(deadline_ms) >= 3 * deadline_ms // 1_000
    text = unit_text(SERVICE, replace(STANDARD, watchdog_s=watchdog_s(600_000)))
    assert value(text, "WatchdogSec") == "1815"


@pytest.mark.parametrize(
    ("every", "settle_s", "wanted"),
    [
        ("1m", 2, "*-*-* *:*:02 UTC"),
        ("5m", 2, "*-*-* *:00/5:02 UTC"),
        ("15m", 90, "*-*-* *:01/15:30 UTC"),
        ("1h", 0, "*-*-* *:00:00 UTC"),
        ("4h", 600, "*-*-* 00/4:10:00 UTC"),
        ("1d", 5, "*-*-* 00:00:05 UTC"),
    ],
)
def test_the_timer_fires_at_each_close_and_the_settle_delay(every: str, settle_s: int, wanted: str) -> None:
    assert calendar(every, settle_s) == wanted
    timer = unit_text(TIMER, replace(STANDARD, every=every, settle_s=settle_s))
    assert value(timer, "OnCalendar") == wanted and value(timer, "Persistent") == "true"


def test_there_is_a_calendar_for_every_timeframe() -> None:
    assert len({calendar(every, 2) for every in TIMEFRAME_MS}) == len(TIMEFRAME_MS)


def test_the_tick_of_the_timer_is_the_runner_of_the_spec() -> None:
    text = unit_text(ONCE, STANDARD)
    assert value(text, "Type") == "oneshot" and value(text, "SuccessExitStatus") == "3"
    assert value(text, "ExecStart") == (
        "/opt/chloe/venv/bin/python -m engine_alpha.loop.multi_asset_runner --home /var/lib/chloe"
    )


def test_research_waits_for_trading_and_goes_first_where_memory_is_short() -> None:
    text, trading = unit_text(RESEARCH, STANDARD), unit_text(SERVICE, STANDARD)
    assert value(text, "Type") == "oneshot" and value(text, "SuccessExitStatus") == "3 5 143"
    assert value(text, "ExecStart") == "/opt/chloe/venv/bin/chloe research run --home /var/lib/chloe"
    assert int(value(text, "Nice")) > 0 and value(text, "IOSchedulingClass") == "idle"
    assert int(value(text, "CPUWeight")) < 100 and value(text, "MemoryMax").endswith("%")
    assert int(value(text, "OOMScoreAdjust")) > 0 > int(value(trading, "OOMScoreAdjust"))


def test_research_is_hardened_as_the_service_is_but_compiles_and_has_no_keys() -> None:
    text, trading = unit_text(RESEARCH, STANDARD), unit_text(ONCE, STANDARD)
    apart = {"MemoryDenyWriteExecute=yes", "ProcSubset=pid"}
    hardening = trading[trading.index("\nMemoryDenyWriteExecute=") :].splitlines()
    assert {line for line in hardening if line not in text.splitlines()} == apart
    assert "LoadCredential=" not in text and not apart & set(text.splitlines())


def test_research_may_fetch_candles_and_write_the_home_alone() -> None:
    text = unit_text(RESEARCH, STANDARD)
    assert value(text, "Wants") == "network-online.target"
    assert value(text, "After") == "network-online.target time-sync.target"
    assert value(text, "RestrictAddressFamilies") == "AF_UNIX AF_INET AF_INET6"
    assert value(text, "StateDirectory") == "chloe" and value(text, "ProtectSystem") == "strict"
    assert "IPAddressDeny=" not in text and "PrivateNetwork=" not in text


def test_research_goes_without_what_only_root_s_manager_can_give() -> None:
    text = unit_text(RESEARCH, replace(STANDARD, user=None))
    for key in ("User=", "StateDirectory=", "CacheDirectory=", "XDG_CACHE_HOME", "OOMScore"):
        assert key not in text
    assert value(text, "Nice") == "15"


def test_research_starts_every_night_at_a_quiet_time_and_makes_up_for_a_missed_one() -> None:
    timer = unit_text(NIGHTLY, STANDARD)
    assert value(timer, "OnCalendar") == "*-*-* 01:30:00 UTC" and value(timer, "Persistent") == "true"
    assert value(timer, "RandomizedDelaySec") == "20min"
