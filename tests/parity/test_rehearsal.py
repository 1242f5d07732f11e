"""A rehearsal comes out the same anywhere and in any number of pieces, and records every bar."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.errors import ConfigError
from engine_alpha.loop.rehearse import rehearse
from tests.makers import HOUR_MS
from tests.parity.stored import THREE, comparable, rehearsed, series, store, wanted
from tests.unit.loop.runs import (
    QUICK,
    START_MS,
    SYMBOLS,
    a_home,
    close_ms,
    edit,
    gate,
    journal_of,
    payloads,
    put_card,
    reasons,
    set_asset,
    set_engine,
    views,
    without,
)

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from pathlib import Path
from engine_alpha.home import Home
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
home, data, first, last = sys.argv[1:5]
times = {"from_ms": int(first), "to_ms": int(last)}
wanted = History(data=Path(data), venue="bybit", symbols=tuple(sys.argv[5:]), **times)
report = rehearse(Home(Path(home)), wanted)
print(report.decisions_sha256, report.ledger_sha256, report.decisions, report.trades)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return store(tmp_path / "data", series())


def test_digests_are_the_same_in_another_home_under_another_hash_seed_from_another_path(
    tmp_path: Path, data: Path
) -> None:
    found = set()
    for seed in ("0", "1", "4242"):
        home = a_home(tmp_path / f"home-{seed}")
        moved = tmp_path / f"data-{seed}"
        os.symlink(data, moved)
        asked = wanted(moved)
        command = [
            sys.executable,
            "-c",
            CHILD,
            str(home.path),
            str(moved),
            str(asked.from_ms),
            str(asked.to_ms),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*command, *THREE], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout.strip())
    assert len(found) == 1
    assert found.pop().split()[2:] == ["180", str(rehearsed(a_home(tmp_path / "here"), wanted(data)).trades)]


def test_a_finished_rehearsal_played_again_is_only_read(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    first = rehearsed(home, wanted(data))
    again = rehearsed(home, wanted(data))
    assert again.stepped_bars == 0 and again.resumed_at_ms == close_ms(59)
    assert comparable(again) == comparable(first)


def test_digests_do_not_depend_on_what_does_not_decide(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    first = rehearsed(home, wanted(data))
    other = a_home(tmp_path / "other", enabled=("ADAUSDT",))
    set_engine(other, feed="venue", feed_deadline_ms=500, embedded_seed=9)
    assert comparable(rehearsed(other, wanted(data))) == comparable(first)


def test_digests_depend_on_what_decides(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    first = rehearsed(home, wanted(data))
    put_card(home, {**QUICK, "exits": {"stop": {"atr": 1.6}, "target": {"atr": 2.0}, "max_hold_bars": 6}})
    second = rehearsed(home, wanted(data))
    assert second.account != first.account
    assert second.ledger_sha256 != first.ledger_sha256
    shorter = rehearsed(home, wanted(data, hours=59))
    assert shorter.decisions_sha256 != second.decisions_sha256


def test_the_registrys_order_decides_the_order_of_the_digest(tmp_path: Path, data: Path) -> None:
    first = rehearsed(a_home(tmp_path / "home"), wanted(data))
    named = rehearsed(a_home(tmp_path / "named"), wanted(data, symbols=THREE[::-1]))
    assert comparable(first) == replace(comparable(named), per_coin=first.per_coin)
    assert list(named.per_coin) == list(THREE)


@pytest.mark.parametrize(("first", "hours"), [(0, 12), (1, 13), (3, 6), (2, 3)])
def test_mixed_timeframes_decide_each_bar_that_opens_inside_the_span_and_no_other(
    tmp_path: Path, data: Path, first: int, hours: int
) -> None:
    home = a_home(tmp_path / "home")
    set_asset(home, "BTCUSDT", base_timeframe="4h")
    asked = wanted(data, first=first, hours=hours)
    report = rehearsed(home, asked)
    journal = journal_of(home, report.account)
    for symbol, frame_ms in (("ETHUSDT", HOUR_MS), ("BTCUSDT", 4 * HOUR_MS), ("DOGEUSDT", HOUR_MS)):
        opens = [view["open_ms"] for view in views(journal, symbol)]
        assert opens == list(range(-(-asked.from_ms // frame_ms) * frame_ms, asked.to_ms, frame_ms)), symbol
        assert all(gate(view, "data_fresh")["passed"] for view in views(journal, symbol))
    assert report.no_decisions == 0
    journal.close()


def test_a_hole_is_recorded_and_the_next_bar_goes_on(tmp_path: Path) -> None:
    bars = series(("ETHUSDT",))
    opened = [close_ms(hour) - HOUR_MS for hour in (10, 20, 21)]
    data = store(tmp_path / "data", {"ETHUSDT": without(bars["ETHUSDT"], *opened)})
    home = a_home(tmp_path / "home")
    report = rehearsed(home, wanted(data, ("ETHUSDT",)))
    journal = journal_of(home, report.account)
    found = payloads(journal, "no_decision")
    assert [(each["open_ms"], each["reason"]) for each in found] == [(at, "stale") for at in opened]
    decided = {view["close_ms"]: view for view in views(journal, "ETHUSDT")}
    assert report.decisions == 57 and report.no_decisions == 3
    one, two, later = (gate(decided[close_ms(hour)], "data_complete") for hour in (11, 22, 32))
    assert one["passed"] and 0 < one["seen"] < 0.02
    assert not two["passed"] and two["seen"] == 1.0, "two in a row among the newest ten"
    assert later["passed"]
    journal.close()


def test_too_little_history_is_not_warm(tmp_path: Path) -> None:
    bars = series(("ETHUSDT",), bars=900, before=500)
    data = store(tmp_path / "data", bars)
    home = a_home(tmp_path / "home")
    report = rehearsed(home, wanted(data, ("ETHUSDT",), hours=30))
    journal = journal_of(home, report.account)
    found = views(journal, "ETHUSDT")
    warm = [gate(view, "warm") for view in found]
    assert [verdict["seen"] for verdict in warm] == [float(500 + hour) for hour in range(30)]
    assert [verdict["passed"] for verdict in warm] == [hour >= 13 for hour in range(30)]
    assert all(view["action"] == "hold" for view in found[:13])
    journal.close()


def test_before_the_first_bar_and_after_the_last_there_are_typed_records(tmp_path: Path) -> None:
    bars = series(("ETHUSDT", "BTCUSDT"))
    bars["ETHUSDT"] = bars["ETHUSDT"].between(close_ms(5), close_ms(15))
    data = store(tmp_path / "data", bars)
    home = a_home(tmp_path / "home")
    report = rehearsed(home, wanted(data, ("ETHUSDT", "BTCUSDT"), hours=25))
    journal = journal_of(home, report.account)
    assert [view["close_ms"] for view in views(journal, "ETHUSDT")] == [close_ms(h) for h in range(6, 16)]
    assert reasons(journal, "ETHUSDT") == ["empty"] * 6 + ["stale"] * 9
    assert len(views(journal, "BTCUSDT")) == 25
    journal.close()
    again = rehearsed(home, wanted(data, ("ETHUSDT", "BTCUSDT"), hours=25))
    assert comparable(again) == comparable(report), "played again it adds nothing"


def test_an_asset_without_any_data_is_recorded_at_every_bar_and_a_second_run_adds_nothing(
    tmp_path: Path,
) -> None:
    data = store(tmp_path / "data", series(("ETHUSDT",)))
    home = a_home(tmp_path / "home")
    asked = wanted(data, ("ETHUSDT", "BTCUSDT"), hours=10)
    report = rehearsed(home, asked)
    assert (report.decisions, report.no_decisions) == (10, 10)
    journal = journal_of(home, report.account)
    assert set(reasons(journal, "BTCUSDT")) == {"missing_series"}
    journal.close()
    assert comparable(rehearsed(home, asked)) == comparable(report)


def test_what_cannot_be_played_is_said_before_anything_is_written(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    with pytest.raises(ConfigError, match="NOPEUSDT is not in"):
        rehearse(home, wanted(data, ("NOPEUSDT",)))
    with pytest.raises(ConfigError, match="--from must be before --to"):
        rehearse(home, wanted(data, hours=0))
    with pytest.raises(ConfigError, match="no data folder"):
        rehearse(home, wanted(tmp_path / "nowhere"))
    assert not home.state.exists()


def test_progress_is_told(tmp_path: Path, data: Path) -> None:
    seen: list[tuple[int, int]] = []
    rehearse(a_home(tmp_path / "home"), wanted(data, hours=8), lambda done, total: seen.append((done, total)))
    assert seen == [(done, 8) for done in range(1, 9)]


def test_the_profit_factor_is_that_of_the_trades(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    report = rehearsed(home, wanted(data))
    journal = journal_of(home, report.account)
    trades = payloads(journal, "trade")
    journal.close()
    nets = np.array([trade["net_quote"] for trade in trades])
    assert report.trades == len(trades) > 20
    assert report.whole.value == pytest.approx(nets[nets > 0].sum() / -nets[nets <= 0].sum())
    assert sum(each.trades for each in report.per_coin.values()) == len(trades)


def test_twelve_coins_under_caps_come_out_the_same_twice(tmp_path: Path) -> None:
    data = store(tmp_path / "data", series(SYMBOLS, bars=1_500, before=1_450))
    caps = {"max_positions": 3, "exposure_cap_frac": 0.2}
    reports = []
    for name in ("one", "two"):
        home = a_home(tmp_path / name)
        edit(home.risk, lambda found: found.update(caps))
        reports.append(comparable(rehearsed(home, wanted(data, SYMBOLS, hours=15))))
    assert reports[0] == reports[1]
    assert reports[0].decisions == 180


def test_nothing_is_decided_before_the_asked_span(tmp_path: Path, data: Path) -> None:
    home = a_home(tmp_path / "home")
    report = rehearsed(home, wanted(data, hours=5))
    journal = journal_of(home, report.account)
    assert min(stored.event.bar_ms for stored in journal.events()) == START_MS - HOUR_MS
    journal.close()
