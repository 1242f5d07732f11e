"""`compare` splits the gap between an account and a backtest by cause, and the parts add up to it exactly."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.backtest.compare import CAUSES, OPEN, Comparison, RoundTrip, compare
from engine_alpha.backtest.verify import Span
from engine_alpha.backtest.verifying.comparing import Clues, Side, side_of
from engine_alpha.domain.bars import Bars
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.halting import request_halt
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History, history_setup
from tests.makers import HOUR_MS
from tests.parity.stored import store
from tests.unit.backtest.verifying import PAIR, changed_bar, files, sources
from tests.unit.loop.runs import (
    QUICK,
    SYMBOLS,
    a_home,
    close_ms,
    enable,
    engine_of,
    journal_of,
    put_card,
    series_of,
    set_risk,
    tick_at,
)

HOURS = 20
HOUR = st.integers(0, 40).map(lambda number: number * HOUR_MS)
MONEY = st.floats(-500.0, 500.0, allow_nan=False)


def trips(before: bool) -> st.SearchStrategy[RoundTrip]:
    return st.builds(
        RoundTrip,
        symbol=st.sampled_from(PAIR),
        frame_ms=st.just(HOUR_MS),
        side=st.sampled_from([1, -1]),
        quantity_base=st.floats(0.001, 10.0),
        entry_ms=HOUR,
        exit_ms=HOUR,
        exit_reason=st.sampled_from(["stop", "target", OPEN]),
        funding_quote=MONEY,
        net_quote=MONEY,
        before=st.booleans() if before else st.just(False),
        carried_quote=MONEY if before else st.just(0.0),
    )


def unique(of: st.SearchStrategy[RoundTrip]) -> st.SearchStrategy[list[RoundTrip]]:
    return st.lists(of, max_size=12, unique_by=lambda trip: trip.key)


@given(
    account=unique(trips(before=True)),
    backtest=unique(trips(before=False)),
    blamed=st.dictionaries(
        st.tuples(st.sampled_from(PAIR), HOUR), st.lists(st.sampled_from(CAUSES), max_size=2)
    ),
)
def test_the_parts_add_up_to_the_gap_to_the_last_digit(
    account: list[RoundTrip], backtest: list[RoundTrip], blamed: dict[tuple[str, int], list[str]]
) -> None:
    found = compare(account, backtest, lambda symbol, open_ms: blamed.get((symbol, open_ms), []))
    assert sum((part.gap for part in found.parts), Fraction(0)) == found.gap
    assert sum((share.gap for share in found.shares), Fraction(0)) == found.gap
    earned = sum(Fraction(trip.net_quote) - Fraction(trip.carried_quote) for trip in account)
    assert found.account == earned
    assert {part.cause for part in found.parts} <= set(CAUSES)


def trip(**changes: Any) -> RoundTrip:
    made = RoundTrip(
        symbol="ETHUSDT",
        frame_ms=HOUR_MS,
        side=1,
        quantity_base=2.0,
        entry_ms=10 * HOUR_MS,
        exit_ms=20 * HOUR_MS,
        exit_reason="stop",
        funding_quote=-1.0,
        net_quote=50.0,
    )
    return replace(made, **changes)


def parts(found: Comparison) -> dict[str, float]:
    return {part.cause: part.gap_quote for part in found.parts}


def nobody(symbol: str, open_ms: int) -> Sequence[str]:
    return ()


def test_equal_sides_have_no_gap() -> None:
    found = compare([trip()], [trip()], nobody)
    assert (found.gap, found.parts, found.matched) == (0, (), 1)


def test_one_entry_with_other_prices_funding_and_quantity_is_split() -> None:
    """Half the quantity of 51 before funding is 25.5 less; funding 0.5 more; 3 lost to the fill."""
    own = trip(quantity_base=1.0, funding_quote=-0.5, net_quote=22.0)
    found = compare([own], [trip()], nobody)
    assert parts(found) == {"fills": -3.0, "size": -25.5, "funding": 0.5}
    assert found.gap == -28


@pytest.mark.parametrize(
    ("causes", "expected"), [(["late", "bars"], "late"), (["feed"], "feed"), (["bars"], "bars"), ([], "rest")]
)
def test_a_missed_entry_is_put_down_to_the_first_trouble_of_its_bar(causes: list[str], expected: str) -> None:
    found = compare([], [trip()], lambda symbol, open_ms: causes if open_ms == 9 * HOUR_MS else ["halted"])
    assert parts(found) == {expected: -50.0}


def test_an_entry_of_the_account_alone_is_never_put_down_to_lateness() -> None:
    found = compare([trip()], [], lambda symbol, open_ms: ["late", "config"])
    assert parts(found) == {"config": 50.0}


def test_another_way_out_is_put_down_to_the_bar_of_the_first_exit() -> None:
    own = trip(exit_ms=25 * HOUR_MS, net_quote=80.0)
    found = compare([own], [trip()], lambda symbol, open_ms: ["bars"] if open_ms == 19 * HOUR_MS else [])
    assert parts(found) == {"bars": 30.0}
    halted = compare([own], [trip()], lambda symbol, open_ms: ["halted"])
    assert parts(halted) == {"rest": 30.0}, "halting stops no exit"


def test_what_was_open_before_counts_from_the_beginning_on() -> None:
    own = trip(entry_ms=-5 * HOUR_MS, before=True, carried_quote=30.0)
    missed = trip(entry_ms=15 * HOUR_MS)
    found = compare([own], [missed], nobody)
    assert parts(found) == {"start": 20.0 - 50.0}, "and an entry while it was held had to be missed"


class Paper:
    """A paper account over stored bars, one tick an hour."""

    def __init__(self, folder: Path, bars: dict[str, Bars] | None = None, **home: Any) -> None:
        self.folder = folder
        self.bars = bars or series_of(PAIR)
        self.home: Home = a_home(folder / "home", enabled=PAIR, **home)
        self.feed: Any = wiring.files_feed(store(folder / "data", self.bars), "bybit")

    def run(
        self, edits: dict[int, Callable[[Engine], Any]] | None = None, late: dict[int, int] | None = None
    ) -> "Paper":
        """Tick at every hour, by `late` so many ms later; do what `edits` says before."""
        with engine_of(self.home, self.feed, account="paper") as engine:
            for hour in range(HOURS):
                (edits or {}).get(hour, lambda _: None)(engine)
                tick_at(engine, close_ms(hour) + 5_000 + (late or {}).get(hour, 0))
        return self

    def side(self, span: Span | None = None) -> Side:
        journal = journal_of(self.home, "paper")
        side = side_of(journal, span or Span())
        journal.close()
        return side

    def compared(self, span: Span | None = None, data: Path | None = None) -> Comparison:
        side = self.side(span)
        wanted = History(
            data=data or self.folder / "data",
            venue="bybit",
            symbols=tuple(side.symbols),
            from_ms=side.from_ms,
            to_ms=side.to_ms,
        )
        trips = rehearsed_trips(self.home, wanted)
        with asyncio.Runner() as loop:
            used = sources(history_setup(self.home, wanted), files(wanted))
            found = compare(side.trips, trips, Clues(side, used, loop).blame)
        assert sum((part.gap for part in found.parts), Fraction(0)) == found.gap
        assert float(found.account) == pytest.approx(side.change_quote, abs=1e-8), "no money is left out"
        return found


def rehearsed_trips(home: Home, wanted: History) -> list[RoundTrip]:
    journal = journal_of(home, rehearse(home, wanted).account)
    trips = side_of(journal, Span()).trips
    journal.close()
    return trips


def test_an_untroubled_account_has_no_gap(tmp_path: Path) -> None:
    found = Paper(tmp_path).run().compared()
    assert (found.gap, found.parts) == (0, ())
    assert found.matched == found.account_trades == found.backtest_trades >= 8


def test_entries_missed_by_coming_late_are_told(tmp_path: Path) -> None:
    found = Paper(tmp_path).run(late={hour: 5 * 60_000 for hour in range(8, 16)}).compared()
    assert "late" in parts(found) and set(parts(found)) <= {"late", "rest", "size"}


def test_entries_missed_while_the_feed_was_down_are_told(tmp_path: Path) -> None:
    paper = Paper(tmp_path)

    def break_it(engine: Engine) -> None:
        engine.feed = wiring.files_feed(
            store(tmp_path / "short", {"ETHUSDT": paper.bars["ETHUSDT"]}), "bybit"
        )

    found = paper.run({10: break_it}).compared()
    assert "feed" in parts(found)


def test_entries_missed_while_the_engine_was_off_are_told(tmp_path: Path) -> None:
    def off(engine: Engine) -> None:
        enable(engine.setup.home, "ETHUSDT")

    found = Paper(tmp_path).run({12: off}).compared()
    assert "stopped" in parts(found)


def test_entries_missed_by_a_halt_are_told(tmp_path: Path) -> None:
    def halt(engine: Engine) -> None:
        request_halt(engine.setup.home.account("paper"), True, "for a test", close_ms(10))

    found = Paper(tmp_path).run({10: halt}).compared()
    assert set(parts(found)) <= {"halted", "size"} and "halted" in parts(found)


def test_a_card_changed_on_the_way_is_told(tmp_path: Path) -> None:
    def change(engine: Engine) -> None:
        put_card(engine.setup.home, {**QUICK, "exits": {"stop": {"atr": 1.0}, "max_hold_bars": 3}})

    found = Paper(tmp_path).run({15: change}).compared()
    assert "config" in parts(found) and "fills" not in parts(found)


def test_other_slippage_now_is_another_configuration(tmp_path: Path) -> None:
    paper = Paper(tmp_path).run()
    set_risk(paper.home, slippage_bps=20.0)
    found = paper.compared()
    assert set(parts(found)) <= {"config", "funding"} and parts(found)["config"] > 0, "it paid less"


def test_other_bars_are_told(tmp_path: Path) -> None:
    paper = Paper(tmp_path).run()
    held = next(trip for trip in paper.side().trips if trip.symbol == "ETHUSDT" and trip.side > 0)
    bars = changed_bar(paper.bars["ETHUSDT"], held.entry_ms, "low", 1.6)
    found = paper.compared(data=store(tmp_path / "other", {**paper.bars, "ETHUSDT": bars}))
    assert "bars" in parts(found)


def test_a_period_that_begins_with_a_position_tells_the_start(tmp_path: Path) -> None:
    paper = Paper(tmp_path).run()
    from_ms = next(trip.entry_ms for trip in paper.side().trips if trip.entry_ms > close_ms(8)) + HOUR_MS
    found = paper.compared(Span(from_ms=from_ms))
    assert "start" in parts(found)


def test_what_is_open_at_the_end_counts_on_both_sides(tmp_path: Path) -> None:
    card = {**QUICK, "exits": {"stop": {"frac": 0.25}}}
    paper = Paper(tmp_path, cards=(card,)).run()
    assert {trip.exit_reason for trip in paper.side().trips} == {OPEN}
    assert paper.compared().gap == 0


def test_sides_know_their_span_and_sources(tmp_path: Path) -> None:
    side = Paper(tmp_path).run().side(Span(from_ms=close_ms(3), to_ms=close_ms(9)))
    assert (side.from_ms, side.to_ms) == (close_ms(3), close_ms(9))
    assert (side.sources, side.venues, tuple(side.symbols)) == ({"files/bybit"}, {"bybit"}, PAIR)
    assert len(side.notes) == 12 and np.all([note.troubles == () for note in side.notes.values()])
    assert set(PAIR) <= set(SYMBOLS)
