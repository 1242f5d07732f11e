"""After ticks with everything in them the journal adds up, by every means, and a changed byte shows."""

import json
import shutil
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_alpha.domain.bars import Funding
from engine_alpha.home import Home
from engine_alpha.journals.checking import check
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.kernel.money import equity_quote
from engine_alpha.loop.halting import request_halt
from engine_alpha.ports import StoredEvent
from engine_alpha.step.folding import audited, fold
from engine_alpha.step.recording import DECISION, NO_DECISION
from engine_alpha.step.state import AccountBook, state_of, state_text
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    QUICK,
    ROOMY,
    SYMBOLS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    enable,
    engine_of,
    events_of,
    fails,
    journal_of,
    payloads,
    put_card,
    series_of,
    set_asset,
    set_risk,
    tick_hours,
    without,
)

FIVE = SYMBOLS[:5]
SHADOW = {
    **QUICK,
    "name": "watched",
    "status": "shadow",
    "exits": {"stop": {"frac": 0.02}, "trailing": {"atr": 1.0}, "max_hold_bars": 9},
}


def funding() -> Funding:
    times = np.arange(close_ms(-1_000), close_ms(200), 8 * HOUR_MS, dtype=np.int64)
    rates = np.round(np.random.default_rng(5).normal(1e-4, 3e-4, len(times)), 8)
    return Funding(settled_ms=times, rate_frac=rates, from_ms=int(times[0]), to_ms=int(times[-1]))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Play 60 hours of five coins with faults, holes, a halt, a disabled coin, and edits of every kind."""
    home = a_home(
        tmp_path_factory.mktemp("played") / "home",
        enabled=FIVE,
        cards=(QUICK, SHADOW),
        risk={**ROOMY, "max_positions": 4},
    )
    feed = MemoryFeed(series_of(FIVE), funding())
    feed.series["BTCUSDT"] = without(feed.series["BTCUSDT"], close_ms(11) - HOUR_MS)
    for part in (range(0, 20), range(23, 40), range(40, 60)):
        with engine_of(home, feed) as engine:
            for hour in part:
                edits(home, feed, hour)
                tick_hours(engine, range(hour, hour + 1))
    return home


def edits(home: Home, feed: MemoryFeed, hour: int) -> None:
    """Do to configuration and feed what happens at this hour."""
    if hour == 14:
        feed.poisons["SOLUSDT"] = fails
    elif hour == 17:
        feed.poisons.clear()
    elif hour == 25:
        request_halt(home.account("test"), True, "for a while", close_ms(25))
    elif hour == 28:
        request_halt(home.account("test"), False, "on", close_ms(28))
    elif hour == 30:
        enable(home, *FIVE[:4])
    elif hour == 35:
        set_risk(home, equity_quote=12_000)
        enable(home, *FIVE)
    elif hour == 44:
        set_asset(home, "AVAXUSDT", base_timeframe="2h")
    elif hour == 50:
        put_card(home, {**SHADOW, "status": "active"})


def test_it_is_sound_and_the_money_adds_up(played: Home) -> None:
    journal = journal_of(played)
    assert_sound(journal)
    kinds = Counter(stored.event.kind for stored in journal.events())
    assert {"decision", "no_decision", "fill", "trade", "funding", "halt"} <= set(kinds), kinds
    assert kinds["trade"] > 30 and kinds["fill"] >= 2 * kinds["trade"]
    journal.close()


def test_equity_is_what_the_events_add_up_to_per_asset(played: Home) -> None:
    """equity = start + Σ gross + unrealised − Σ fees + Σ funding, from fills, trades and funding alone."""
    journal = journal_of(played)
    states = journal.states()
    for symbol in FIVE:
        fills, trades = payloads(journal, "fill", symbol), payloads(journal, "trade", symbol)
        received = sum(each["received_quote"] for each in payloads(journal, "funding", symbol))
        sub = state_of(states[symbol]).sub
        signed = [(1 if fill["side"] == "buy" else -1, fill) for fill in fills]
        cash = -sum(side * fill["quantity_base"] * fill["price"] for side, fill in signed)
        held = sum(side * fill["quantity_base"] for side, fill in signed)
        fees = sum(fill["fee_quote"] for fill in fills)
        expected = sub.start_quote + cash + held * sub.mark_price - fees + received
        assert equity_quote(sub) == pytest.approx(expected, rel=1e-9)
        assert sub.trades == len(trades)
        nets = sum(trade["net_quote"] for trade in trades)
        assert nets == pytest.approx(sub.gross_profit_quote - sub.gross_loss_quote, rel=1e-9, abs=1e-9)
    journal.close()


def test_every_bar_of_every_enabled_asset_has_one_decision_or_a_typed_no_decision(played: Home) -> None:
    journal = journal_of(played)
    for symbol in FIVE:
        decided = Counter(stored.event.key for stored in events_of(journal, DECISION, symbol))
        assert set(decided.values()) == {1}
        refused = {each["open_ms"] for each in payloads(journal, NO_DECISION, symbol)}
        opens = {stored.event.bar_ms for stored in events_of(journal, DECISION, symbol)} | refused
        hourly = (
            range(close_ms(-1), close_ms(43), HOUR_MS)
            if symbol == "AVAXUSDT"
            else range(close_ms(-1), close_ms(59), HOUR_MS)
        )
        assert [at for at in hourly if at not in opens] == [], symbol
    assert {(each["reason"], bool(each["detail"])) for each in payloads(journal, NO_DECISION)} == {
        ("broken", True),
        ("stale", True),
    }
    journal.close()


def test_exported_lines_carry_no_place_time_mode_or_account(played: Home) -> None:
    journal = journal_of(played)
    forbidden = (
        "seq",
        "hash",
        "previous_hash",
        "at_ms",
        "mode",
        "account",
        "feed",
        "source",
        "place",
        "path",
    )
    stored = next(journal.events(DECISION, "ETHUSDT"))
    for line in decision_lines(journal, "ETHUSDT"):
        view = json.loads(line)
        assert not set(view) & set(forbidden)
        text = json.dumps({name: part for name, part in view.items() if name != "settlement"})
        for word in ('"at_ms"', '"mode"', '"account"', '"seq"', '"feed"', stored.hash, "memory"):
            assert word not in text
    journal.close()


def test_a_changed_byte_in_a_payload_is_found(played: Home, tmp_path: Path) -> None:
    whole = journal_of(played)
    seqs = [stored.seq for stored in whole.events()]
    whole.close()
    for seq in (seqs[0], seqs[len(seqs) // 2], seqs[-1]):
        home = Home(tmp_path / str(seq))
        shutil.copytree(played.account("test"), home.account("test"))
        change_byte(home.account("test") / "journal.sqlite", seq)
        journal = journal_of(home)
        report = check(journal, fold)
        assert not report.sound and report.first_broken_seq == seq
        journal.close()


def change_byte(file: Path, seq: int) -> None:
    with sqlite3.connect(file) as connection:
        (payload,) = connection.execute("SELECT payload FROM events WHERE seq = ?", (seq,)).fetchone()
        at = next(i for i, letter in enumerate(payload) if letter.isdigit())
        digit = "1" if payload[at] != "1" else "2"
        connection.execute(
            "UPDATE events SET payload = ? WHERE seq = ?", (payload[:at] + digit + payload[at + 1 :], seq)
        )
    connection.close()


def test_money_that_differs_from_its_events_is_found_by_the_audit(played: Home) -> None:
    journal = journal_of(played)
    states = journal.states()
    parts = json.loads(states["ETHUSDT"])
    parts["sub"][1] += 0.01
    found = audited(journal.events()).faults({**states, "ETHUSDT": json.dumps(parts)})
    assert len(found) == 1 and found[0].startswith("ETHUSDT: realised is ")
    without_a_fill = [
        stored
        for stored in journal.events()
        if not (stored.event.kind == "fill" and stored.event.symbol == "ETHUSDT")
    ]
    assert any("ETHUSDT: fees" in fault for fault in audited(without_a_fill).faults(states))
    journal.close()


def test_events_alone_rebuild_every_state_to_the_same_bytes(played: Home) -> None:
    journal = journal_of(played)
    states: dict[str, str] = {}
    for stored in journal.events():
        states = fold(states, stored)
    assert states == journal.states()
    book = AccountBook(states, 10_000.0)
    assert {name: state_text(state) for name, state in book.assets.items()} == {
        name: text for name, text in states.items() if name != "account"
    }
    journal.close()


def test_folding_any_prefix_and_the_rest_is_folding_all(played: Home) -> None:
    journal = journal_of(played)
    events: list[StoredEvent] = list(journal.events())
    for cut in (1, len(events) // 3, len(events) - 1):
        states: dict[str, str] = {}
        for stored in events[:cut]:
            states = fold(states, stored)
        states = json.loads(json.dumps(states))
        for stored in events[cut:]:
            states = fold(states, stored)
        assert states == journal.states()
    journal.close()


def test_the_same_ticks_into_memory_leave_the_same_events(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=FIVE)
    found: list[list[Any]] = []
    for kept in (False, True):
        with engine_of(home, MemoryFeed(series_of(FIVE)), account=f"account{int(kept)}") as engine:
            if kept:
                engine.journal = MemoryJournal()
                engine.labels = replace(engine.labels, account="account0")
            tick_hours(engine, range(0, 10))
            found.append([(s.event, s.hash) for s in engine.journal.events()])
            assert_sound(engine.journal)
    assert found[0] == found[1]


def test_a_shadow_card_is_decided_and_never_traded(played: Home) -> None:
    journal = journal_of(played)
    trades = payloads(journal, "trade", "ETHUSDT")
    before = [trade for trade in trades if trade["entry_ms"] < close_ms(49)]
    assert {trade["card"] for trade in before} == {"quick"}
    decisions = payloads(journal, DECISION, "ETHUSDT")
    shadows = [each["shadows"]["watched"] for each in decisions if "watched" in each["shadows"]]
    assert len(shadows) == 50
    assert any(settlement[-1][0] != 0 for settlement, _ in shadows), "it closed would-be trades"
    journal.close()
