"""Bad input and bad luck: said in notes, and never the end of last night's dataset."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha import atomic_files
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.dataset.extending import extend
from engine_alpha.research.dataset.keeping import DISK_FULL, MANIFEST, read_manifest
from engine_alpha.research.dataset.reading import read
from tests.makers import random_bars
from tests.unit.loop.runs import FIRST_NUMBER, edit
from tests.unit.research.dataset.nights import (
    SYMBOL,
    a_research_home,
    eventful,
    kept,
    night,
    stored,
)


def walk(count: int) -> Any:
    return random_bars(count, seed=4, first_index=FIRST_NUMBER)


def said(notes: tuple[str, ...], text: str) -> bool:
    return any(text in note for note in notes)


def test_too_little_history_is_said_and_grown_out_of(tmp_path: Path) -> None:
    bars, home = walk(1_200), a_research_home(tmp_path / "home")
    young = night(home, stored(tmp_path / "data", bars, int(bars.close_ms[99])))
    assert (young.night.rows_new, young.night.trades_new) == (0, 0)
    assert said(young.night.notes, "too little history: 100 bars, 850 are needed")
    assert said(young.night.notes, "its history began 4 days ago")
    assert len(young.bars()) == 0 and young.bars().columns == read(home, "bybit", SYMBOL, "1h").bars().columns
    grown = night(home, stored(tmp_path / "data", bars))
    at_once = night(a_research_home(tmp_path / "other"), stored(tmp_path / "whole", bars))
    assert grown.night.rebuilt is None
    assert grown.bars().equals(at_once.bars()) and grown.trades().equals(at_once.trades())


def test_a_coin_listed_last_month_is_said_to_be_young(tmp_path: Path) -> None:
    found = night(a_research_home(tmp_path / "home"), stored(tmp_path / "data", walk(30 * 24)))
    assert said(found.night.notes, "its history began 30 days ago, 2023-08-31 00:00: too young to judge")


def test_a_gap_of_weeks_is_said_and_no_return_crosses_into_it(tmp_path: Path) -> None:
    bars = walk(2_400)
    gone = np.zeros(len(bars), np.bool_)
    gone[1_200:1_600] = True
    found = night(a_research_home(tmp_path / "home"), stored(tmp_path / "data", kept(bars, ~gone)))
    assert said(found.night.notes, "no bars for 17 days after 2023-10-20 00:00")
    table = found.bars()
    assert not table["open_ms"].is_in(bars.open_ms[gone].tolist()).any()
    into = table.filter(table["open_ms"] == int(bars.open_ms[1_190]))
    assert into["forward_4"].item() is not None and into["forward_24"].item() is None
    assert into["forward_336"].item() is None


def test_prices_that_never_move_are_said_and_traded_by_no_card(tmp_path: Path) -> None:
    bars = walk(1_400)
    flat = {name: np.full(len(bars), 100.0) for name in ("open", "high", "low", "close")}
    frozen = replace(bars, **flat, volume=np.zeros(len(bars)))
    found = night(a_research_home(tmp_path / "home"), stored(tmp_path / "data", frozen))
    assert said(found.night.notes, "prices stood still for 1400 bars from 2023-08-31 00:00")
    assert said(found.night.notes, "bars of this night were not decided on: frozen")
    assert len(found.trades()) == 0


def test_a_coin_without_prices_has_a_note_and_nothing_on_disk(tmp_path: Path) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", walk(900))
    found = night(home, data, symbol="BTCUSDT")
    assert found.manifest is None and len(found.bars()) == len(found.trades()) == 0
    assert said(found.night.notes, "nothing new: missing_series")
    assert not found.folder.exists()
    with pytest.raises(DataError, match="no dataset"):
        read(home, "bybit", "BTCUSDT", "1h")


def test_broken_configuration_leaves_the_dataset_as_it_was(tmp_path: Path) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", walk(1_200))
    before = night(home, data)
    (home.parameters / f"{SYMBOL}.json").write_text("{", encoding="utf-8")
    after = night(home, data)
    assert after.manifest == before.manifest
    assert said(after.night.notes, "nothing new: ")


def test_a_month_that_can_not_be_read_leaves_the_dataset_as_it_was(tmp_path: Path) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", walk(1_200))
    before = night(home, data)
    next((data / "bybit" / SYMBOL / "1h").glob("*.parquet")).write_bytes(b"no parquet")
    after = night(home, data)
    assert after.manifest == before.manifest and said(after.night.notes, "hash_mismatch")


def test_two_symbols_make_no_dataset(tmp_path: Path) -> None:
    home = a_research_home(tmp_path / "home")
    both = History(data=tmp_path, venue="bybit", symbols=(SYMBOL, "BTCUSDT"), from_ms=0, to_ms=1)
    with pytest.raises(ConfigError, match="one symbol"):
        extend(home, read_setup(home), both)


@pytest.mark.parametrize(("at", "number"), [(0, errno.EACCES), (1, errno.ENOSPC), (4, errno.ENOSPC)])
def test_a_disk_that_takes_no_more_leaves_last_nights_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, number: int
) -> None:
    bars, home = walk(1_600), a_research_home(tmp_path / "home")
    before = night(home, stored(tmp_path / "data", bars, int(bars.close_ms[1_000])))
    files = {path.name: path.read_bytes() for path in before.folder.iterdir()}
    rows, trades = before.bars(), before.trades()
    data = stored(tmp_path / "data", bars)
    writes = 0
    true_fsync = os.fsync

    def full(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes > 2 * at:
            raise OSError(number, os.strerror(number))
        true_fsync(handle)

    monkeypatch.setattr(atomic_files.os, "fsync", full)
    with pytest.raises(DataError) as caught:
        night(home, data)
    monkeypatch.undo()
    assert "last night's dataset stands" in caught.value.detail
    assert (caught.value.reason == DISK_FULL) == (number == errno.ENOSPC)
    if number == errno.ENOSPC:
        assert "make room" in caught.value.detail
    assert {path.name: path.read_bytes() for path in before.folder.iterdir()} == files
    assert before.bars().equals(rows) and before.trades().equals(trades)
    after, at_once = night(home, data), night(a_research_home(tmp_path / "other"), data)
    assert after.night.rebuilt is None and after.manifest is not None and at_once.manifest is not None
    assert after.manifest.content_sha256 == at_once.manifest.content_sha256


@pytest.mark.parametrize("at", [3, 7])
def test_a_night_that_is_killed_leaves_last_nights_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A kill leaves files behind, temporary ones too: they are swept by the next night."""

    class Killed(BaseException):
        pass

    bars, home = walk(1_600), a_research_home(tmp_path / "home")
    before = night(home, stored(tmp_path / "data", bars, int(bars.close_ms[1_000])))
    rows, data = before.bars(), stored(tmp_path / "data", bars)
    replaced = 0
    true_replace = os.replace

    def killed(source: str, target: Path) -> None:
        nonlocal replaced
        replaced += 1
        if replaced == at:
            (before.folder / ".left.tmp").write_bytes(b"half")
            raise Killed
        true_replace(source, target)

    monkeypatch.setattr(atomic_files.os, "replace", killed)
    try:
        night(home, data)
    except Killed:
        found = read(home, "bybit", SYMBOL, "1h")
        assert found.bars().equals(rows) and found.manifest == before.manifest
    monkeypatch.undo()
    after, at_once = night(home, data), night(a_research_home(tmp_path / "other"), data)
    assert after.night.rebuilt is None and after.manifest is not None and at_once.manifest is not None
    assert after.manifest.content_sha256 == at_once.manifest.content_sha256
    manifest = read_manifest(after.folder)
    assert manifest is not None
    named = {part.file for months in manifest.tables.values() for part in months.values()}
    extra = {path.name for path in after.folder.iterdir()} - {*named, MANIFEST, manifest.carried_file}
    assert extra <= {".left.tmp"}


@pytest.mark.parametrize(
    ("which", "how"),
    [("bars-", "cut"), ("trades-", "gone"), ("carried", "cut"), (MANIFEST, "cut"), (MANIFEST, "gone")],
)
def test_a_damaged_file_is_noticed_and_the_dataset_built_anew(tmp_path: Path, which: str, how: str) -> None:
    bars, home = walk(1_400), a_research_home(tmp_path / "home")
    before = night(home, stored(tmp_path / "data", bars, int(bars.close_ms[1_000])))
    victim = next(path for path in before.folder.iterdir() if path.name.startswith(which))
    if how == "cut":
        victim.write_bytes(victim.read_bytes()[:-7])
    else:
        victim.unlink()
    if which in ("bars-", "trades-"):
        with pytest.raises(DataError):
            before.bars(), before.trades()
    data = stored(tmp_path / "data", bars)
    after, at_once = night(home, data), night(a_research_home(tmp_path / "other"), data)
    assert after.bars().equals(at_once.bars()) and after.trades().equals(at_once.trades())
    if which == MANIFEST and how == "gone":
        assert after.night.rebuilt is None  # then it is a new one
    else:
        assert after.night.rebuilt is not None and after.night.rebuilt.startswith("it is damaged: ")


def test_a_shorter_history_than_before_changes_nothing_and_says_so(tmp_path: Path) -> None:
    bars, home = eventful(), a_research_home(tmp_path / "home")
    data = stored(tmp_path / "data", bars)
    whole = night(home, data)
    at_ms = int(bars.close_ms[1_500])
    short = night(home, data, to_ms=at_ms)
    assert short.manifest == whole.manifest
    assert "it holds later bars than asked for: read it with until_ms" in short.night.notes
    fresh = night(a_research_home(tmp_path / "other"), data, to_ms=at_ms)
    assert fresh.bars().equals(whole.bars(until_ms=at_ms))
    assert fresh.trades().equals(whole.trades(until_ms=at_ms))


def test_what_another_coin_is_configured_to_changes_nothing(tmp_path: Path) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", walk(1_200))
    night(home, data)
    edit(home.registry, lambda found: found["BTCUSDT"].update(max_leverage=1.0))
    (home.parameters / "BTCUSDT.json").write_text("{", encoding="utf-8")
    assert night(home, data).night.rebuilt is None
    edit(home.registry, lambda found: found[SYMBOL].update(max_leverage=1.0))
    assert night(home, data).night.rebuilt is not None
