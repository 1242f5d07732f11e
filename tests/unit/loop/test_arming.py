"""Arming: what a person armed and nothing else, whatever becomes of the file."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.errors import ConfigError, JournalError
from engine_alpha.loop.arming import FILE_NAME, ArmedAsset, arm, armed, counting, disarm, halve
from engine_alpha.loop.lock import account_lock

ETH = ArmedAsset(symbol="ETHUSDT", at_ms=5, environment="testnet", venue="bybit")
VENUES = {"ETHUSDT": "bybit", "BTCUSDT": "binance"}


def test_nothing_is_armed_until_somebody_arms_it(tmp_path: Path) -> None:
    found = armed(tmp_path / "live-testnet")
    assert (found, found.fault) == ({}, "")


def test_what_was_armed_is_read_back(tmp_path: Path) -> None:
    arm(tmp_path / "live", "ETHUSDT", 5, "testnet", "bybit")
    assert armed(tmp_path / "live") == {"ETHUSDT": ETH}


def test_arming_again_keeps_since_when_unless_the_venue_is_another(tmp_path: Path) -> None:
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    arm(tmp_path, "ETHUSDT", 9, "testnet", "bybit")
    assert armed(tmp_path)["ETHUSDT"].at_ms == 5
    arm(tmp_path, "ETHUSDT", 9, "testnet", "binance")
    assert (armed(tmp_path)["ETHUSDT"].at_ms, armed(tmp_path)["ETHUSDT"].venue) == (9, "binance")


def test_another_size_is_another_arming(tmp_path: Path) -> None:
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit", 0.25)
    assert armed(tmp_path)["ETHUSDT"] == replace(ETH, size_factor=0.25)
    arm(tmp_path, "ETHUSDT", 7, "testnet", "bybit", 0.25)
    assert armed(tmp_path)["ETHUSDT"].at_ms == 5
    arm(tmp_path, "ETHUSDT", 9, "testnet", "bybit")
    assert armed(tmp_path)["ETHUSDT"] == replace(ETH, at_ms=9)


def test_it_is_halved_once_until_a_person_arms_anew(tmp_path: Path) -> None:
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    halved = replace(ETH, size_factor=0.5, halved_ms=8)
    assert halve(tmp_path, ETH, 8) == halved == armed(tmp_path)["ETHUSDT"]
    assert halve(tmp_path, halved, 9) == halved == armed(tmp_path)["ETHUSDT"]
    arm(tmp_path, "ETHUSDT", 10, "testnet", "bybit")
    assert armed(tmp_path)["ETHUSDT"] == replace(ETH, at_ms=10)


def test_what_a_person_said_meanwhile_is_not_halved(tmp_path: Path) -> None:
    assert halve(tmp_path, ETH, 8) is None
    arm(tmp_path, "ETHUSDT", 7, "testnet", "bybit", 0.25)
    assert halve(tmp_path, ETH, 8) == replace(ETH, at_ms=7, size_factor=0.25)
    assert armed(tmp_path)["ETHUSDT"].halved_ms == 0


def test_one_is_disarmed_and_the_others_stay(tmp_path: Path) -> None:
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    arm(tmp_path, "BTCUSDT", 6, "testnet", "binance")
    assert disarm(tmp_path, "BTCUSDT") == ("BTCUSDT",)
    assert armed(tmp_path) == {"ETHUSDT": ETH}
    assert disarm(tmp_path, "BTCUSDT") == ()
    assert disarm(tmp_path, None) == ("ETHUSDT",)
    assert armed(tmp_path) == {}


def test_it_works_beside_a_running_engine(tmp_path: Path) -> None:
    with account_lock(tmp_path):
        arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
        assert disarm(tmp_path, None) == ("ETHUSDT",)


def test_two_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    symbols = [f"C{number}USDT" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda symbol: arm(tmp_path, symbol, 1, "testnet", "bybit"), symbols))
    assert sorted(armed(tmp_path)) == sorted(symbols)


@pytest.mark.parametrize(
    ("environment", "venues", "left"),
    [
        ("testnet", VENUES, {"ETHUSDT"}),
        ("demo", VENUES, set()),
        ("mainnet", VENUES, set()),
        ("testnet", {"ETHUSDT": "binance"}, set()),
        ("testnet", {}, set()),
    ],
)
def test_what_was_armed_for_elsewhere_does_not_count(
    tmp_path: Path, environment: str, venues: dict[str, str], left: set[str]
) -> None:
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    arm(tmp_path, "BTCUSDT", 5, "testnet", "bybit")
    assert set(counting(armed(tmp_path), environment, venues)) == left


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"1",
    b"null",
    b"\xff",
    b"[" * 50_000,
    b'{"ETHUSDT": 1}',
    b'{"ETHUSDT": {}}',
    b'{"ETHUSDT": {"at_ms": 5, "environment": "testnet"}}',
    b'{"ETHUSDT": {"at_ms": "5", "environment": "testnet", "venue": "bybit"}}',
    b'{"ETHUSDT": {"at_ms": true, "environment": "testnet", "venue": "bybit"}}',
    b'{"ETHUSDT": {"at_ms": 5, "environment": 1, "venue": "bybit"}}',
    *(
        b'{"ETHUSDT": {"at_ms": 5, "environment": "testnet", "venue": "bybit", "size_factor": %s}}' % size
        for size in (b"0.0", b"-0.5", b"1.5", b'"0.5"', b"true", b"NaN")
    ),
    b'{"ETHUSDT": {"at_ms": 5, "environment": "testnet", "venue": "bybit", "halved_ms": "8"}}',
]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: content[:30].decode("latin-1"))
def test_a_file_that_can_t_be_read_arms_nothing_and_says_why(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    found = armed(tmp_path)
    assert found == {} and found.fault.startswith(f"{tmp_path / FILE_NAME} can't be read (")
    assert counting(found, "testnet", VENUES).fault == found.fault
    with pytest.raises(ConfigError, match="To begin anew: chloe live disarm --all"):
        arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    assert (tmp_path / FILE_NAME).read_bytes() == content
    assert disarm(tmp_path, "BTCUSDT") == ()
    assert armed(tmp_path).fault == ""


def test_a_folder_in_its_place_arms_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    assert armed(tmp_path) == {} and armed(tmp_path).fault
    with pytest.raises(JournalError, match="what is armed has NOT changed"):
        disarm(tmp_path, None)


def test_a_folder_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalError, match="what is armed has NOT changed"):
        arm(tmp_path / "state" / "live", "ETHUSDT", 5, "testnet", "bybit")


def test_it_is_on_disk_when_the_command_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    arm(tmp_path, "ETHUSDT", 5, "testnet", "bybit")
    assert synced == ["file", "folder"]
    assert json.loads((tmp_path / FILE_NAME).read_text())["ETHUSDT"]["environment"] == "testnet"
