"""A dataset extended night by night is what it would be if built at once; and what makes it another one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.domain.resampling import resample
from engine_alpha.research.dataset import extending
from engine_alpha.research.dataset.keeping import content_sha256
from engine_alpha.research.dataset.reading import Dataset, read
from engine_alpha.research.dataset.schema import FORWARD_NAMES, HORIZONS, REACH_BARS
from engine_alpha.store.months import write_bars
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import FIRST_NUMBER, a_home, edit, set_risk
from tests.unit.research.dataset.nights import (
    SYMBOL,
    a_research_home,
    eventful,
    kept,
    minutes_of,
    night,
    stored,
)


def sha_of(dataset: Dataset) -> str:
    assert dataset.manifest is not None
    return dataset.manifest.content_sha256


@pytest.mark.parametrize("seed", [1, 2])
def test_night_by_night_is_what_at_once_is(tmp_path: Path, seed: int) -> None:
    bars, home = eventful(seed=seed), a_research_home(tmp_path / "home")
    at_once = night(a_research_home(tmp_path / "other"), stored(tmp_path / "whole", bars))
    random = np.random.default_rng(seed)
    cuts = np.unique(np.append(random.integers(520, len(bars), 4), [len(bars) - 1]))
    for cut in cuts.tolist():
        found = night(home, stored(tmp_path / "data", bars, int(bars.close_ms[cut])))
        assert found.night.rebuilt is None
    assert found.manifest is not None and at_once.manifest is not None
    assert found.trades().equals(at_once.trades())
    assert found.bars().equals(at_once.bars())
    assert sha_of(found) == sha_of(at_once)
    assert found.manifest.cards == at_once.manifest.cards
    assert found.manifest.cards["quick"] > 50 and found.manifest.cards["slow"] > 5
    assert "card never has no closed trade" in found.night.notes


@pytest.mark.slow
def test_every_split_in_two_comes_out_alike(tmp_path: Path) -> None:
    bars = eventful(1_500, seed=11)
    at_once = night(a_research_home(tmp_path / "other"), stored(tmp_path / "whole", bars))
    for cut in range(560, len(bars) - 1, 97):
        home, data = a_research_home(tmp_path / f"home{cut}"), tmp_path / f"data{cut}"
        night(home, stored(data, bars, int(bars.close_ms[cut])))
        assert sha_of(night(home, stored(data, bars))) == sha_of(at_once), cut


def test_a_night_without_new_bars_changes_nothing(tmp_path: Path) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", eventful())
    first = night(home, data)
    files = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    second = night(home, data)
    assert (second.night.rows_new, second.night.trades_new, second.night.rebuilt) == (0, 0, None)
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == files


def test_forward_returns_are_those_of_the_opens(tmp_path: Path) -> None:
    bars = eventful()
    table = night(a_research_home(tmp_path / "home"), stored(tmp_path / "data", bars)).bars()
    opens = dict(zip((bars.open_ms // HOUR_MS).tolist(), bars.open.tolist(), strict=True))
    for row in table.sample(200, seed=1).iter_rows(named=True):
        number = row["open_ms"] // HOUR_MS
        for name, horizon in zip(FORWARD_NAMES, HORIZONS, strict=True):
            entry, leave = opens.get(number + 1), opens.get(number + 1 + horizon)
            expected = None if entry is None or leave is None else leave / entry - 1.0
            assert row[name] == expected, (row["open_ms"], name)
    assert int(table["open_ms"][-1]) // HOUR_MS + REACH_BARS == int(bars.open_ms[-1]) // HOUR_MS


@pytest.mark.parametrize("place", [900, 2_300])
def test_garbling_the_future_changes_no_row_that_ended_before(tmp_path: Path, place: int) -> None:
    bars = eventful(seed=5)
    at_ms = int(bars.open_ms[place])
    random = np.random.default_rng(place)
    after = bars.open_ms >= at_ms
    scale = np.where(after, random.uniform(0.5, 2.0, len(bars)), 1.0)
    columns = {name: getattr(bars, name) * scale for name in ("open", "high", "low", "close")}
    spoiled = replace(bars, **columns)
    true = night(a_research_home(tmp_path / "one"), stored(tmp_path / "true", bars))
    other = night(a_research_home(tmp_path / "two"), stored(tmp_path / "spoiled", spoiled))
    assert true.bars(until_ms=at_ms).equals(other.bars(until_ms=at_ms))
    assert true.trades(until_ms=at_ms).equals(other.trades(until_ms=at_ms))
    assert len(true.trades(until_ms=at_ms)) > 10
    assert not true.trades().equals(other.trades())
    cut = night(a_research_home(tmp_path / "cut"), stored(tmp_path / "short", bars, at_ms))
    assert cut.bars().equals(true.bars(until_ms=at_ms))
    assert cut.trades().equals(true.trades(until_ms=at_ms))


def test_a_revised_old_bar_builds_it_anew_and_says_so(tmp_path: Path) -> None:
    bars = eventful()
    home, data = a_research_home(tmp_path / "home"), tmp_path / "data"
    night(home, stored(data, bars, int(bars.close_ms[-50])))
    close = bars.close.copy()
    close[900] = (bars.high[900] + bars.low[900]) / 2
    revised = replace(bars, close=close)
    found = night(home, stored(data, revised))
    assert found.night.rebuilt == "bars or settlements that it had read were revised"
    fresh = night(a_research_home(tmp_path / "other"), stored(tmp_path / "whole", revised))
    assert sha_of(found) == sha_of(fresh)


def test_a_bar_that_came_late_builds_it_anew(tmp_path: Path) -> None:
    bars = eventful()
    home, data = a_research_home(tmp_path / "home"), tmp_path / "data"
    keep = np.ones(len(bars), np.bool_)
    keep[1_200] = False
    night(home, stored(data, kept(bars, keep), int(bars.close_ms[-50])))
    assert night(home, stored(data, bars)).night.rebuilt is not None


def test_other_cards_or_limits_build_it_anew(tmp_path: Path) -> None:
    bars, home = eventful(), a_research_home(tmp_path / "home")
    data = stored(tmp_path / "data", bars)
    first = sha_of(night(home, data))
    set_risk(home, equity_quote=77_000.0, pf_floor=1.5, max_positions=1)
    assert night(home, data).night.rebuilt is None
    set_risk(home, slippage_bps=30.0)
    found = night(home, data)
    assert found.night.rebuilt == "cards, parameters, limits or contract of this coin have changed"
    assert sha_of(found) != first
    edit(home.cards / "slow.json", lambda card: card.update(rationale="Other words.", status="shadow"))
    assert night(home, data).night.rebuilt is None
    edit(home.cards / "slow.json", lambda card: card["exits"].update(max_hold_bars=50))
    assert night(home, data).night.rebuilt is not None


def test_another_engine_or_kernel_builds_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, data = a_research_home(tmp_path / "home"), stored(tmp_path / "data", eventful())
    first = night(home, data)
    monkeypatch.setattr(extending, "__version__", "99.0.0")
    found = night(home, data)
    assert found.night.rebuilt == "it is of another engine version"
    assert found.night.rows_new == len(first.bars())
    monkeypatch.setattr(extending, "code_key", lambda: "other")
    assert night(home, data).night.rebuilt == "the kernel or what makes the tables has changed"
    assert sha_of(night(home, data)) == sha_of(first)


def test_what_is_read_is_what_was_built(tmp_path: Path) -> None:
    home = a_research_home(tmp_path / "home")
    built = night(home, stored(tmp_path / "data", eventful()))
    found = read(home, "bybit", SYMBOL, "1h")
    assert found.bars().equals(built.bars()) and found.trades().equals(built.trades())
    assert content_sha256(found.bars()) == content_sha256(built.bars())
    assert found.bars()["regime"].is_in(["trend_up", "trend_down", "high_vol", "chop"]).all()
    assert found.bars().null_count()["close"].item() == 0
    assert found.bars()["momentum_336"][0] is None
    net = found.trades()["gross_r"] - found.trades()["fees_r"] + found.trades()["funding_r"]
    assert np.allclose(net, found.trades()["r"], rtol=0, atol=1e-9)


def test_an_asset_without_cards_has_bars_and_no_trades(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=(), cards=())
    bars = eventful()
    night(home, stored(tmp_path / "data", bars, int(bars.close_ms[1_200])))
    found = night(home, stored(tmp_path / "data", bars))
    assert found.night.rebuilt is None and len(found.bars()) > 1_000
    assert len(found.trades()) == 0 and "r" in found.trades().columns


def test_minutes_inside_bars_are_read_and_belong_to_what_was_read(tmp_path: Path) -> None:
    coarse = random_bars(900, seed=8, first_index=FIRST_NUMBER)
    minutes = minutes_of(coarse)
    data = stored(tmp_path / "data", resample(minutes, HOUR_MS))
    home, plain = a_research_home(tmp_path / "home"), a_research_home(tmp_path / "plain")
    set_risk(home, detail="1m")
    write_bars(data, "bybit", SYMBOL, "1m", minutes)
    cut_ms = int(coarse.close_ms[700])
    night(home, data, to_ms=cut_ms)
    found, other = night(home, data), a_research_home(tmp_path / "other")
    set_risk(other, detail="1m")
    assert found.night.rebuilt is None and sha_of(found) == sha_of(night(other, data))
    assert sha_of(found) != sha_of(night(plain, data))
    volume = minutes.volume.copy()
    volume[40_000] += 1.0
    write_bars(data, "bybit", SYMBOL, "1m", replace(minutes, volume=volume))
    assert night(home, data).night.rebuilt == "bars or settlements that it had read were revised"
