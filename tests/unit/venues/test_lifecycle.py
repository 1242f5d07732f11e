"""A contract's life, told from what the venue says and when; MATIC -> POL as it went at both venues."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.venue_facts import CLOSING, NOT_LISTED, SETTLED, TRADING, SymbolFacts
from engine_alpha.step.asset_step import SETTLE_EXIT_MS
from engine_alpha.venues import lifecycle
from engine_alpha.venues.lifecycle import ANNOUNCED, ENDED, NOT_YET, REDUCE_ONLY, TRADES, lifecycle_of


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


BINANCE_NOTICE = ms("2024-08-28 09:00")
BINANCE_CLOSING = ms("2024-09-04 08:30")
BINANCE_END = ms("2024-09-04 09:00")
POL_AT_BINANCE = ms("2024-09-13 12:15")
BYBIT_END = ms("2024-09-06 00:00")
POL_AT_BYBIT = ms("2024-09-05 00:00")

MATIC = Instrument(
    venue="binance",
    symbol="MATICUSDT",
    tick_quote="0.0001",
    lot_base="1",
    min_quantity_base="1",
    min_notional_quote="5",
    max_market_quantity_base="500000",
    maker_fee_frac=0.0002,
    taker_fee_frac=0.0005,
    tiers=(),
    successor="POLUSDT",
)


def facts(status: str = TRADING, delisted_ms: int | None = None) -> SymbolFacts:
    return SymbolFacts(symbol="MATICUSDT", status=status, delisted_ms=delisted_ms)


@pytest.mark.parametrize(
    ("now", "told", "stage", "must_leave"),
    [
        ("2024-08-28 08:59", facts(), TRADES, False),
        ("2024-08-28 09:00", facts(delisted_ms=BINANCE_END), ANNOUNCED, False),
        ("2024-09-03 08:59", facts(delisted_ms=BINANCE_END), ANNOUNCED, False),
        ("2024-09-03 09:00", facts(delisted_ms=BINANCE_END), ANNOUNCED, True),
        ("2024-09-04 08:30", facts(CLOSING, BINANCE_END), REDUCE_ONLY, True),
        ("2024-09-04 09:00", facts(TRADING, BINANCE_END), REDUCE_ONLY, True),
        ("2024-09-04 09:00", facts(SETTLED, BINANCE_END), ENDED, False),
        ("2024-09-20 00:00", facts(NOT_LISTED), NOT_YET, False),
    ],
)
def test_matic_at_binance(now: str, told: SymbolFacts, stage: str, must_leave: bool) -> None:
    life = lifecycle_of(told, MATIC, ms(now))
    assert (life.stage, life.must_leave(ms(now))) == (stage, must_leave)
    assert life.may_enter == (stage == TRADES)
    assert ("POLUSDT" in life.sentence) == (stage != TRADES)


@pytest.mark.parametrize(
    ("now", "told", "stage", "must_leave"),
    [
        ("2024-09-01 00:00", facts(), TRADES, False),
        ("2024-09-02 00:00", facts(delisted_ms=BYBIT_END), ANNOUNCED, False),
        ("2024-09-05 00:00", facts(delisted_ms=BYBIT_END), ANNOUNCED, True),
        ("2024-09-06 00:00", facts(SETTLED, BYBIT_END), ENDED, False),
    ],
)
def test_matic_at_bybit(now: str, told: SymbolFacts, stage: str, must_leave: bool) -> None:
    life = lifecycle_of(told, replace(MATIC, venue="bybit"), ms(now))
    assert (life.stage, life.must_leave(ms(now))) == (stage, must_leave)


@pytest.mark.parametrize(("venue", "listed_ms"), [("binance", POL_AT_BINANCE), ("bybit", POL_AT_BYBIT)])
def test_pol_is_a_contract_of_its_own_with_a_life_of_its_own(venue: str, listed_ms: int) -> None:
    pol = replace(MATIC, venue=venue, symbol="POLUSDT", successor=None, listed_ms=listed_ms)
    before = lifecycle_of(SymbolFacts(symbol="POLUSDT", status=NOT_LISTED), pol, listed_ms - 1)
    assert before.stage == NOT_YET and "begins to trade on 2024-09" in before.sentence
    after = lifecycle_of(SymbolFacts(symbol="POLUSDT", status=TRADING), pol, listed_ms)
    assert after.stage == TRADES and after.sentence == ""


def test_the_successor_is_a_new_asset_and_carries_nothing_over() -> None:
    ended = lifecycle_of(facts(SETTLED, BINANCE_END), MATIC, BINANCE_END)
    assert ended.sentence == (
        "MATICUSDT at binance was settled on 2024-09-04 09:00 UTC: disable it; POLUSDT follows it as a "
        "contract of its own: add that as a new asset, no position or history carries over"
    )


def test_the_snapshots_date_counts_where_the_venue_names_none() -> None:
    known = replace(MATIC, settled_ms=BINANCE_END)
    assert lifecycle_of(facts(), known, BINANCE_NOTICE).close_by_ms == BINANCE_END - SETTLE_EXIT_MS
    assert lifecycle_of(facts(NOT_LISTED), known, BINANCE_END).stage == ENDED


def test_the_venues_date_counts_before_the_snapshots() -> None:
    known = replace(MATIC, settled_ms=BYBIT_END)
    life = lifecycle_of(facts(delisted_ms=BINANCE_END), known, BINANCE_NOTICE)
    assert life.close_by_ms == BINANCE_END - SETTLE_EXIT_MS


def test_a_contract_that_takes_no_positions_and_names_no_date_is_left_at_once() -> None:
    life = lifecycle_of(facts(CLOSING), MATIC, BINANCE_CLOSING)
    assert life.must_leave(BINANCE_CLOSING)
    assert life.sentence.startswith("MATICUSDT at binance takes no new positions: a position is left now")


def test_live_leaves_as_long_before_the_end_as_the_step_does() -> None:
    assert lifecycle.LEAVE_BEFORE_MS == SETTLE_EXIT_MS
