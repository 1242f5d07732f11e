"""With `detail: 1m` a rehearsal is still the paper runner on a clock, and minutes decide what came first."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.domain.detail import MINUTE_MS
from engine_alpha.domain.resampling import resample
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.rehearse import RehearsalReport
from engine_alpha.step.recording import DECISION
from engine_alpha.store.months import write_bars
from tests.makers import HOUR_MS, random_bars
from tests.parity.stored import THREE, rehearsed, store, wanted
from tests.parity.test_rehearsal_and_paper import assert_alike
from tests.unit.loop.runs import (
    LATE_MS,
    QUICK,
    ROOMY,
    START_MS,
    SYMBOLS,
    a_home,
    close_ms,
    decision_lines,
    engine_of,
    journal_of,
    payloads,
    set_asset,
    tick_at,
)

TIGHT = {**QUICK, "exits": {"stop": {"atr": 0.3}, "target": {"atr": 0.4}, "max_hold_bars": 6}}
TWO = ("ETHUSDT", "BTCUSDT")
HOURS = 50


def minutes_of(symbol: str, before: int = 1_000) -> Bars:
    """Return a random walk of minutes, with gaps, from `before` hours ahead of START_MS to 60 after it."""
    count = (before + 60) * 60
    walk = random_bars(count, seed=70 + SYMBOLS.index(symbol), first_index=0)
    calm = {name: 100.0 * (getattr(walk, name) / 100.0) ** 0.1 for name in ("open", "high", "low", "close")}
    times = START_MS - before * HOUR_MS + np.arange(count, dtype=np.int64) * MINUTE_MS
    return replace(walk, timeframe_ms=MINUTE_MS, open_ms=times, **calm)


def minute_store(folder: Path, minutes: Mapping[str, Bars], bars: Mapping[str, Bars] | None = None) -> Path:
    """Write minutes, and the hours they make up unless other ones are given."""
    hours = {symbol: resample(each, HOUR_MS) for symbol, each in minutes.items()}
    data = store(folder, {**hours, **(bars or {})})
    for symbol, each in minutes.items():
        write_bars(data, "bybit", symbol, "1m", each)
    return data


def minutes() -> dict[str, Bars]:
    return {symbol: minutes_of(symbol) for symbol in THREE}


def a_tight_home(path: Path, detail: str | None = "1m") -> Home:
    return a_home(path, enabled=THREE, cards=(TIGHT,), risk={**ROOMY, "detail": detail})


def hashes(home: Home, report: RehearsalReport) -> list[str]:
    """Return what the decisions say of their minutes, of those that asked for any."""
    journal = journal_of(home, report.account)
    found = [each["minutes_hash"] for each in payloads(journal, DECISION) if "minutes_hash" in each]
    journal.close()
    return found


def test_rehearsal_and_paper_are_alike(tmp_path: Path) -> None:
    data = minute_store(tmp_path / "data", minutes())
    home = a_tight_home(tmp_path / "home")
    assert assert_alike(home, data, HOURS) == 3 * HOURS


def test_with_four_hour_bars_beside_hours(tmp_path: Path) -> None:
    data = minute_store(tmp_path / "data", {symbol: minutes_of(symbol, before=2_500) for symbol in TWO})
    home = a_home(tmp_path / "home", enabled=TWO, cards=(TIGHT,), risk={**ROOMY, "detail": "1m"})
    set_asset(home, "BTCUSDT", base_timeframe="4h")
    report = rehearsed(home, wanted(data, TWO, first=1, hours=48))
    assert report.decisions == 48 + 12 and report.trades > 15
    with engine_of(home, wiring.files_feed(data, "bybit"), account="paper") as engine:
        for hour in range(1, 49):
            tick_at(engine, close_ms(hour) + LATE_MS)
        journal = journal_of(home, report.account)
        for symbol in TWO:
            lines = decision_lines(journal, symbol)
            assert lines and set(lines) <= set(decision_lines(engine.journal, symbol))
        assert sum(1 for each in payloads(journal, "trade", "BTCUSDT") if each["exit_ms"] % HOUR_MS) > 2
        journal.close()


def test_minutes_make_most_ambiguous_bars_clear_and_the_ledger_another(tmp_path: Path) -> None:
    data = minute_store(tmp_path / "data", minutes())
    home, bare_home = a_tight_home(tmp_path / "home"), a_tight_home(tmp_path / "bare", detail=None)
    report, bare = rehearsed(home, wanted(data, hours=HOURS)), rehearsed(bare_home, wanted(data, hours=HOURS))
    assert bare.ambiguous >= 5 and report.ambiguous < bare.ambiguous / 4
    assert report.ledger_sha256 != bare.ledger_sha256
    found = hashes(home, report)
    assert len(found) > HOURS and all(found)
    assert hashes(bare_home, bare) == []


@pytest.mark.parametrize("with_minutes", [False, True])
def test_minutes_of_another_series_are_never_used(tmp_path: Path, with_minutes: bool) -> None:
    """Stored minutes that do not make up the hours, or none: the digests are those of the bar rule."""
    hours = {symbol: resample(each, HOUR_MS) for symbol, each in minutes().items()}
    others = {symbol: replace(each, high=each.high * 1.000001) for symbol, each in minutes().items()}
    data = minute_store(tmp_path / "data", others if with_minutes else {}, hours)
    home, bare_home = a_tight_home(tmp_path / "home"), a_tight_home(tmp_path / "bare", detail=None)
    report, bare = rehearsed(home, wanted(data, hours=20)), rehearsed(bare_home, wanted(data, hours=20))
    assert (report.decisions_sha256, report.ledger_sha256) == (bare.decisions_sha256, bare.ledger_sha256)
    assert report.trades > 10
    assert set(hashes(home, report)) == {""}


def test_a_lost_minute_costs_its_own_bar_alone(tmp_path: Path) -> None:
    series = minutes()
    lost = [close_ms(hour) - 7 * MINUTE_MS for hour in range(10, 20)]
    hours = {symbol: resample(each, HOUR_MS) for symbol, each in series.items()}
    kept = ~np.isin(series["ETHUSDT"].open_ms, lost)
    columns = {name: getattr(series["ETHUSDT"], name)[kept] for name in ("open", "high", "low", "close")}
    series["ETHUSDT"] = replace(
        series["ETHUSDT"],
        open_ms=series["ETHUSDT"].open_ms[kept],
        volume=series["ETHUSDT"].volume[kept],
        **columns,
    )
    data = minute_store(tmp_path / "data", series, hours)
    home = a_tight_home(tmp_path / "home")
    report = rehearsed(home, wanted(data, hours=30))
    journal = journal_of(home, report.account)
    asked = {
        (each["symbol"], each["record"][1]): each["minutes_hash"]
        for each in payloads(journal, DECISION)
        if "minutes_hash" in each
    }
    journal.close()
    without = {key for key, found in asked.items() if not found}
    assert without == {key for key in asked if key[0] == "ETHUSDT" and close_ms(10) <= key[1] < close_ms(20)}
    assert len(without) > 5
