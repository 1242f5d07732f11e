"""`verify` names records that bars and settings do not give: fills, signals, decisions, states, versions."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.domain.detail import MINUTE_MS
from engine_alpha.domain.resampling import resample
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.halting import request_halt
from engine_alpha.plans.setup import read_setup
from engine_alpha.ports import BarRequest, Event
from engine_alpha.step.recording import Labels
from engine_alpha.store.months import write_bars
from tests.makers import HOUR_MS, random_bars
from tests.parity.stored import store, wanted
from tests.unit.backtest.verifying import (
    PAIR,
    Played,
    as_is,
    bar,
    changed_bar,
    only,
    played,
    replayed,
    verified,
    with_payload,
)
from tests.unit.loop.runs import (
    LONG_HELD,
    QUICK,
    ROOMY,
    SYMBOLS,
    MemoryFeed,
    a_home,
    close_ms,
    enable,
    engine_of,
    fails,
    put_card,
    series_of,
    set_asset,
    set_risk,
    tick_at,
    tick_hours,
    without,
)

HOURS = 20


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield played(tmp_path_factory.mktemp("pair"), hours=HOURS)


def rewriting(kind: str, place: int, change: Callable[[Any], Any]) -> Callable[[Event], Event]:
    """Return what changes the content of the event of a kind at a place among its kind."""
    seen = iter(range(1_000_000))

    def rewrite(event: Event) -> Event:
        if event.kind == kind and next(seen) == place:
            return with_payload(event, change)
        return event

    return rewrite


def first_place(pair: Played, wanted: Callable[[Any], bool]) -> int:
    """Return the place of the first decision of which something is true, among all decisions."""
    contents = [json.loads(one.event.payload) for one in pair.events() if one.event.kind == "decision"]
    return next(place for place, content in enumerate(contents) if wanted(content))


def holds_an_entry(content: Any) -> bool:
    return bool(content["record"][2][2][0])


def test_a_journal_copied_event_by_event_is_as_good(pair: Played) -> None:
    found = pair.rewritten(lambda event: event)
    assert (found.findings, found.exact) == ((), 2 * HOURS)


def test_a_fill_at_another_price_is_named(pair: Played) -> None:
    found = pair.rewritten(rewriting("fill", 3, lambda fill: fill.update(price=fill["price"] * 1.01)))
    one = only(found)
    assert one.cause == "fill_differs" and one.subject in ("entry fill", "exit fill")
    assert [change.key for change in one.changes] == ["price"]
    assert one.changes[0].then == pytest.approx(one.changes[0].now * 1.01)
    assert (one.decisions, one.different) == (1, 0), "the decision's own record says otherwise"


def test_a_fill_at_another_price_in_the_decisions_own_record_is_named(pair: Played) -> None:
    place = first_place(pair, holds_an_entry)

    def change(content: Any) -> None:
        content["record"][2][2][2] *= 1.01

    one = only(pair.rewritten(rewriting("decision", place, change)))
    assert (one.cause, one.subject, one.different) == ("fill_differs", "entry in the decision's record", 1)
    assert [change.key for change in one.changes] == ["price"]


def test_a_fill_that_never_was_is_named(pair: Played) -> None:
    events = pair.events()
    gone = next(stored for stored in events if stored.event.kind == "fill")
    pair_without = replace(gone, event=replace(gone.event, kind="note"))
    found = pair.rewritten(lambda event: pair_without.event if event == gone.event else event)
    assert (only(found).cause, only(found).subject) == ("fill_differs", "entry fill")


def test_a_trade_that_says_otherwise_is_named(pair: Played) -> None:
    found = pair.rewritten(rewriting("trade", 1, lambda trade: trade.update(net_quote=1.0)))
    assert (only(found).cause, only(found).subject) == ("fill_differs", "trade")
    assert only(found).changes[0].key == "net_quote"


def test_signals_that_bars_do_not_give_are_named(pair: Played) -> None:
    def change(content: Any) -> None:
        content["signals"][5] += 1e-12

    one = only(pair.rewritten(rewriting("decision", 11, change)))
    assert one.cause == "signals_differ" and one.detail.startswith("di_spread: equal bars")


def test_a_decision_that_does_not_follow_is_named_with_its_gate(pair: Played) -> None:
    def change(content: Any) -> None:
        content["record"][3][4][7][1] = 0.123

    one = only(pair.rewritten(rewriting("decision", 11, change)))
    assert one.cause == "decision_differs" and one.detail.startswith("confidence_min.seen: ")


def test_a_state_that_does_not_follow_is_named_once(pair: Played) -> None:
    def change(content: Any) -> None:
        content["after"]["sub"][2] += 5.0

    found = pair.rewritten(rewriting("decision", 2 * HOURS - 1, change))
    assert (only(found).cause, only(found).decisions) == ("state_differs", 1)
    assert only(found).detail.startswith("after.sub is not")


def test_an_account_that_does_not_follow_is_named(pair: Played) -> None:
    def change(content: Any) -> None:
        content["account_after"]["marks"][0] += 5.0

    one = only(pair.rewritten(rewriting("decision", 2 * HOURS - 1, change)))
    assert one.cause == "state_differs" and "account_after.marks" in one.detail


def test_another_version_that_decided_the_same_is_no_difference(pair: Played) -> None:
    def older(event: Event) -> Event:
        if event.kind != "decision":
            return event
        return with_payload(event, lambda content: content.update(engine="0.0.9"))

    found = pair.rewritten(older)
    assert (found.findings, found.exact) == ((), 2 * HOURS)


def test_another_version_that_decided_otherwise_is_the_cause(pair: Played) -> None:
    def older(content: Any) -> None:
        content["engine"] = "0.0.9"
        content["record"][3][0][3] += 1e-9

    one = only(pair.rewritten(rewriting("decision", 7, older)))
    assert (one.cause, one.decisions) == ("engine_version", 1) and one.subject.startswith("0.0.9, now ")
    assert "confidence" in one.detail


def test_a_record_from_before_the_parts_were_kept_is_verified_all_the_same(pair: Played) -> None:
    def older(event: Event) -> Event:
        if event.kind != "decision":
            return event
        return with_payload(event, lambda content: content.pop("config_parts"))

    found = pair.rewritten(older)
    assert (found.findings, found.exact) == ((), 2 * HOURS)


def test_a_doctored_record_and_a_revised_bar_are_told_apart(pair: Played) -> None:
    moved = replace(pair, bars={**pair.bars, "BTCUSDT": changed_bar(pair.bars["BTCUSDT"], bar(12), "high")})
    asked = replace(pair.asked, data=store(pair.folder / "both", moved.bars))
    found = replace(pair, asked=asked).rewritten(rewriting("fill", 0, lambda fill: fill.update(price=1.0)))
    assert [one.cause for one in found.findings] == ["bar_revised", "fill_differs"]


SHADOW = {
    **QUICK,
    "name": "watched",
    "status": "shadow",
    "exits": {"stop": {"frac": 0.02}, "trailing": {"atr": 1.0}, "max_hold_bars": 9},
}
FIVE = SYMBOLS[:5]


def test_an_eventful_account_comes_out_byte_for_byte_on_the_settings_of_each_hour(tmp_path: Path) -> None:
    """Five coins: faults, a hole, catching up, a halt, edits of every kind, restarts."""
    home = a_home(tmp_path / "home", enabled=FIVE, cards=(QUICK, SHADOW), risk={**ROOMY, "max_positions": 4})
    times = np.arange(close_ms(-1_000), close_ms(200), 8 * HOUR_MS, dtype=np.int64)
    rates = np.round(np.random.default_rng(5).normal(1e-4, 3e-4, len(times)), 8)
    feed = MemoryFeed(
        series_of(FIVE),
        Funding(settled_ms=times, rate_frac=rates, from_ms=int(times[0]), to_ms=int(times[-1])),
    )
    feed.series["BTCUSDT"] = without(feed.series["BTCUSDT"], bar(11))
    edits: dict[int, Callable[[], Any]] = {
        6: lambda: feed.poisons.update(SOLUSDT=fails),
        9: feed.poisons.clear,
        13: lambda: request_halt(home.account("test"), True, "for a while", close_ms(13)),
        16: lambda: request_halt(home.account("test"), False, "on", close_ms(16)),
        18: lambda: enable(home, *FIVE[:4]),
        21: lambda: (set_risk(home, equity_quote=12_000), enable(home, *FIVE)),
        24: lambda: set_asset(home, "AVAXUSDT", base_timeframe="2h"),
        27: lambda: put_card(home, {**SHADOW, "status": "active"}),
        30: lambda: (home.cards / "quick.json").unlink(),
    }
    for part in (range(0, 12), range(15, 26), range(26, 36)):
        with engine_of(home, feed) as engine:
            for hour in part:
                edits.get(hour, lambda: None)()
                tick_hours(engine, range(hour, hour + 1))
            found = as_is(home, engine.journal, feed)
    assert (found.unpriced, found.unsettled) == (0, 0)
    assert found.exact == found.decisions > 120, found.findings
    causes = {(one.cause, one.subject) for one in found.findings}
    assert causes == {
        ("config_changed", "risk.json"),
        ("config_changed", "asset_registry.json"),
        ("cards_changed", "quick"),
        ("cards_changed", "watched"),
    }


def test_a_broken_file_under_a_position_is_verified_on_what_was_kept(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", cards=(LONG_HELD,))
    feed = MemoryFeed(series_of(("ETHUSDT",)))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        (home.parameters / "ETHUSDT.json").write_text("{}")
        tick_hours(engine, range(2, 5))
        (home.parameters / "ETHUSDT.json").unlink()
        tick_hours(engine, range(5, 7))
        found = as_is(home, engine.journal, feed)
    assert (found.findings, found.decisions, found.exact) == ((), 7, 7)


def test_a_contract_that_settled_under_a_position_is_verified(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=("MATICUSDT",), cards=(LONG_HELD,))
    settled_ms = read_setup(home).instruments["bybit"]["MATICUSDT"].settled_ms
    assert settled_ms is not None
    bars = random_bars(1_401, seed=8, first_index=settled_ms // HOUR_MS - 1_400, price=1.0)
    feed = MemoryFeed({"MATICUSDT": bars})
    with engine_of(home, feed) as engine:
        for hour in (-26, -25, 3, 4):
            tick_at(engine, settled_ms + hour * HOUR_MS + 5_000)
        found = as_is(home, engine.journal, feed)
    assert found.exact == found.decisions == 5
    one = only(found)
    assert (one.cause, one.subject) == ("bar_missing_then", "missing"), "nothing ran for a day before it"
    assert one.last_ms - one.first_ms == 24 * HOUR_MS


def test_a_simulated_account_is_computed_again(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR)
    setup = read_setup(home)
    labels = Labels(account="simulated", mode="paper", feed="embedded")
    now_ms = close_ms(0) + 5_000
    with wiring.opened(setup, labels, wiring.embedded_feed(setup), FixedClock(now_ms)) as engine:
        for hour in (0, 1, 2, 5, 6, 20):
            tick_at(engine, now_ms + hour * HOUR_MS)
        found = as_is(home, engine.journal, wiring.embedded_feed(setup))
        other = as_is(home, engine.journal, EmbeddedFeed(99, {}))
    assert (found.findings, found.decisions, found.exact) == ((), 42, 42)
    assert {one.cause for one in other.findings} >= {"bar_revised"}


async def _quoted(reading: Reading) -> Reading:
    return replace(reading, source="venue bybit", spread_bps=reading.bars.close[-1] % 3.0)


def test_a_venues_quotes_are_believed_and_its_bars_have_no_mark_price(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    feed = MemoryFeed(series_of(("ETHUSDT",)))
    feed.poisons["ETHUSDT"] = _quoted
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 20))
        feed.poisons.clear()
        bars = feed.series["ETHUSDT"]
        feed.series["ETHUSDT"] = replace(bars, mark_high=bars.high * 9.0, mark_low=bars.low / 9.0)
        found = as_is(home, engine.journal, WithMarks(feed.series))
    assert (found.findings, found.decisions, found.exact) == ((), 20, 20)


class WithMarks(MemoryFeed):
    """A feed that keeps the mark prices of its bars."""

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        bars = self.series[request.asset.symbol].between(request.first_open_ms, now_ms)
        assert len(bars.mark_high)
        return Reading(bars=bars, funding=self.funding, source="files/bybit")


def minutes_of_walk() -> Bars:
    walk = random_bars(60_000, seed=5)
    first = bar(-980) // MINUTE_MS
    return replace(
        walk, timeframe_ms=MINUTE_MS, open_ms=(first + np.arange(60_000, dtype=np.int64)) * MINUTE_MS
    )


def store_minutes(data: Path, minutes: Bars, hours_of: Bars) -> Path:
    """Write minutes, and hours that are made of the same or of other ones."""
    write_bars(data, "bybit", "ETHUSDT", "1m", minutes)
    write_bars(data, "bybit", "ETHUSDT", "1h", resample(hours_of, HOUR_MS))
    return data


def test_minutes_that_changed_are_named(tmp_path: Path) -> None:
    minutes = minutes_of_walk()
    home = a_home(tmp_path / "home", risk={**ROOMY, "detail": "1m"})
    asked = wanted(store_minutes(tmp_path / "data", minutes, minutes), ("ETHUSDT",), hours=12)
    made = replayed(home, {}, asked, tmp_path)
    same = made.verified()
    assert (same.findings, same.exact) == ((), 12)
    volume = minutes.volume.copy()
    volume[int(np.searchsorted(minutes.open_ms, bar(7))) + 5] *= 2.0
    data = store_minutes(tmp_path / "other", replace(minutes, volume=volume), minutes)
    one = only(replace(made, asked=replace(asked, data=data)).verified())
    assert (one.cause, one.first_ms, one.last_ms, one.decisions) == ("minutes_differ", bar(7), bar(7), 1)


@pytest.mark.slow
def test_a_decision_takes_less_than_a_three_hundredth_of_a_second(tmp_path: Path) -> None:
    made = played(tmp_path, hours=240)
    started = time.process_time()
    found = made.verified()
    assert found.exact == 480 and found.decisions / (time.process_time() - started) > 300


def test_progress_is_told_to_its_end(pair: Played) -> None:
    told: list[tuple[int, int]] = []
    pair.verified(progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(pair.events())


def test_an_empty_journal_is_no_difference(pair: Played) -> None:
    found = verified(MemoryJournal(), read_setup(pair.home), MemoryFeed({}))
    assert (found.decisions, found.findings, found.symbols) == (0, (), ())
