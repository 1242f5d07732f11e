"""What people are told of a journal: once, in few messages, never of history, over restarts too."""

import json
from pathlib import Path

import pytest

from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.loop import live_orders
from engine_alpha.notices.memory import FILE_NAME, load_memory
from engine_alpha.notices.wording import KINDS
from engine_alpha.ports import Event
from engine_alpha.step import recording
from engine_alpha.trading import recording as trading
from tests.unit.notices.receiving import (
    HOUR_MS,
    NOON_MS,
    Box,
    Office,
    Settings,
    a_decision,
    a_fault,
    a_trade,
    wait_for,
)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def office(tmp_path: Path, box: Box) -> Office:
    return Office(tmp_path, box)


def halted(on: bool, at_ms: int, drawdown: int = 0) -> Event:
    payload = {"halted": on, "halt_reason": "holiday", "marks": [1.0, 1, 1.0, drawdown]}
    return Event("halt", "", f"{at_ms}/{int(on)}", at_ms, json.dumps(payload))


def live(version: int, **changes: object) -> Event:
    state = {"symbol": "ETHUSDT", "venue": "bybit", "frozen": "", "leave": "", "naked_since_ms": 0, **changes}
    return Event("live", "ETHUSDT", f"ETHUSDT/{version}", 0, json.dumps({"live_after": state}))


def test_the_kinds_that_are_read_are_those_that_are_written() -> None:
    written = {
        *(recording.NO_DECISION, recording.FILL, recording.TRADE, recording.HALT, recording.LIVE),
        *(recording.BREAKER, recording.ROLLOUT, trading.EXECUTION, live_orders.FLATTEN),
    }
    assert set(KINDS) == written


def test_history_is_not_told_at_the_first_start(office: Office, box: Box) -> None:
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS - HOUR_MS), a_fault("BTCUSDT", NOON_MS - HOUR_MS))
    office.look()
    office.look(HOUR_MS)
    assert box.taken == []
    office.write(a_trade("ETHUSDT", -10.0, NOON_MS))
    office.look()
    assert box.titles == ["Chloe paper: trade closed"]
    assert "ETHUSDT long closed by stop at 2931.25: -10.00, -1.00 R; PF 0.50 (n=2)" in box.text
    assert office.alerts == [
        {"status": "sent", "about": "trades", "title": "Chloe paper: trade closed", "targets": ["box #1"]}
    ]


def test_a_restart_tells_what_came_meanwhile_once(office: Office, box: Box) -> None:
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.started()
    office.look()
    assert box.titles == ["Chloe paper: trade closed"]
    office.started()
    office.look()
    assert len(box.taken) == 1


def test_what_waits_for_a_dead_target_outlives_a_restart(office: Office, box: Box) -> None:
    office.targets = ("box://one", "box://two")
    office.started()
    box.refusals["box://two"] = "can't be reached"
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.look()
    assert [target for target, _ in box.taken] == ["box://one"]
    box.refusals.clear()
    office.started()
    office.look()
    assert [target for target, _ in box.taken] == ["box://one", "box://two"]
    office.started()
    office.look()
    assert len(box.taken) == 2


def test_what_waits_is_sent_on_the_way_out(office: Office, box: Box) -> None:
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.alerter.observe(office.journal, office.now_ms)
    office.alerter.close(5.0)
    assert len(box.taken) == 1
    office.started()
    office.look()
    assert len(box.taken) == 1


def test_an_outage_is_journalled_once_and_its_end(office: Office, box: Box) -> None:
    box.refusals["box://one"] = "can't be reached"
    office.look()
    for hour in range(5):
        office.write(a_trade("ETHUSDT", 1.0, NOON_MS + hour))
        office.look(HOUR_MS)
    assert office.alerts == [{"status": "dead", "target": "box #1", "reason": "can't be reached"}]
    box.refusals.clear()
    office.look(HOUR_MS)
    assert office.statuses() == ["dead", "back", *["sent"] * 5]
    assert len(box.taken) == 5


def test_a_dead_target_is_asked_less_and_less_often_and_its_queue_is_bounded(
    office: Office, box: Box
) -> None:
    tried = []

    def refuse(_target: str, message: object) -> str:
        tried.append(message)
        return "no"

    office.send = refuse
    office.started()
    office.look()
    for number in range(60):
        office.write(a_trade("ETHUSDT", 1.0, NOON_MS + number))
        office.look(60_000)
    assert 5 <= len(tried) <= 10
    assert office.statuses().count("dead") == 1
    assert sum(len(alert["titles"]) for alert in office.alerts if alert["status"] == "dropped") == 10
    remembered = load_memory(office.folder)
    assert remembered is not None and len(remembered.messages) == 50


def test_a_fault_that_is_mended_within_a_minute_is_not_told(office: Office, box: Box) -> None:
    office.look()
    office.write(a_fault("ETHUSDT", NOON_MS))
    office.look(5_000)
    office.write(a_decision("ETHUSDT", NOON_MS))
    office.look(HOUR_MS)
    assert box.taken == []


def test_a_storm_is_one_message_and_its_end_another(office: Office, box: Box) -> None:
    coins = [f"C{number}USDT" for number in range(30)]
    office.look()
    office.write(*(a_fault(coin, NOON_MS) for coin in coins))
    office.look()
    office.look(61_000)
    assert box.titles == ["Chloe paper: no decision"]
    assert "30 coins without a decision (stale): C0USDT, C1USDT" in box.text and "and 10 more" in box.text
    assert "C0USDT: the newest bar is old" in box.text
    office.write(*(a_decision(coin, NOON_MS) for coin in coins))
    office.look(61_000)
    assert box.titles[1:] == ["Chloe paper: mended"]
    assert "30 coins are decided again" in box.text


def test_the_same_fault_of_the_same_coin_is_not_told_again_for_hours(office: Office, box: Box) -> None:
    office.look()
    for hour in range(8):
        office.write(a_fault("ETHUSDT", NOON_MS + hour * HOUR_MS))
        office.look()
        office.look(HOUR_MS)
    assert len(box.taken) == 2
    office.write(a_fault("ETHUSDT", NOON_MS + 9 * HOUR_MS, "slow"))
    office.look(61_000)
    office.look(61_000)
    assert len(box.taken) == 3 and "(slow)" in box.text


def test_coins_that_fail_one_after_another_are_summed_up(office: Office, box: Box) -> None:
    office.look()
    for number in range(100):
        office.write(a_fault(f"C{number}USDT", NOON_MS))
        office.look(20_000)
    office.look(HOUR_MS)
    assert len(box.taken) <= 6
    assert sum(message.body.count("USDT") > 1 for _, message in box.taken) >= 3


def test_a_broken_registry_entry_is_mended_by_any_later_decision(office: Office, box: Box) -> None:
    office.look()
    payload = json.dumps({"reason": "config", "detail": "ETHUSDT.venue: no venue"})
    office.write(Event("no_decision", "ETHUSDT", f"ETHUSDT//{NOON_MS}/config", NOON_MS, payload))
    office.look()
    office.look(61_000)
    office.look(61_000)
    assert box.titles == ["Chloe paper: no decision"]
    office.write(a_decision("ETHUSDT", NOON_MS))
    office.look(61_000)
    assert box.titles[1:] == ["Chloe paper: mended"]


def test_an_open_breaker_is_told_and_the_bars_it_rests_are_not(office: Office, box: Box) -> None:
    office.look()
    told = {"reason": "slow", "detail": "no bars within 5 s", "faults": 6}
    office.write(
        Event("breaker", "ETHUSDT", "ETHUSDT/1/open", 0, json.dumps({**told, "state": "open"})),
        a_fault("ETHUSDT", NOON_MS, "resting"),
    )
    office.look()
    office.look(HOUR_MS)
    assert box.titles == ["Chloe paper: breaker opened"]
    assert "ETHUSDT rests after 6 faults (slow: no bars within 5 s)" in box.text
    office.write(Event("breaker", "ETHUSDT", "ETHUSDT/2/closed", 0, json.dumps({**told, "state": "closed"})))
    office.look()
    assert box.titles[1:] == ["Chloe paper: breaker closed"]


def test_halt_resume_and_drawdown_are_told(office: Office, box: Box) -> None:
    office.look()
    office.write(halted(True, 1))
    office.look()
    office.write(halted(False, 2))
    office.look()
    account = json.dumps({"marks": [1.0, 1, 1.0, 1]})
    office.journal.commit(office.now_ms, [a_decision("ETHUSDT", 1)], {"account": account})
    office.look()
    office.look()
    assert box.titles == [f"Chloe paper: {topic}" for topic in ("halted", "resumed", "halted by drawdown")]
    assert "entries are halted (holiday)" in box.text and "chloe resume" in box.text


def test_frozen_naked_and_left_positions_are_told_once_and_their_end(office: Office, box: Box) -> None:
    office.look()
    office.write(live(1, naked_since_ms=NOON_MS))
    office.look(1_000)
    assert box.taken == []  # between fill and stop there is always a moment
    office.look(4_000)
    office.look(4_000)
    assert box.titles == ["Chloe paper: unprotected position"]
    office.write(live(2, naked_since_ms=NOON_MS, leave="unprotected", frozen="the venue contradicts itself"))
    office.look()
    office.write(live(3, frozen="the venue contradicts itself"))
    office.look()
    office.write(live(4))
    office.look()
    topics = [title.removeprefix("Chloe paper: ") for title in box.titles[1:]]
    assert topics == ["frozen", "leaving", "protected", "thawed"]
    assert "chloe reconcile ETHUSDT" in box.text


def test_fills_of_real_orders_are_told_as_the_venue_told_them(office: Office, box: Box) -> None:
    office.look()
    fill = {
        "kind": "trade",
        "client_id": "chloe-en0123",
        "side": "buy",
        "quantity_base": "0.5",
        "price": "2931.2",
        "venue": "bybit",
    }
    office.write(
        Event("execution", "ETHUSDT", "a", 0, json.dumps(fill)),
        Event("execution", "ETHUSDT", "b", 0, json.dumps({**fill, "side": "sell", "kind": "liquidation"})),
        Event("execution", "ETHUSDT", "c", 0, json.dumps({**fill, "kind": "funding"})),
        Event("fill", "ETHUSDT", "d", 0, json.dumps({"leg": "entry", "account": "live-testnet"})),
    )
    office.look()
    assert box.titles == ["Chloe paper: 2 × real fill"]
    assert "ETHUSDT bought 0.5 at 2931.2 on bybit: entry" in box.text
    assert "ETHUSDT sold 0.5 at 2931.2 on bybit: liquidation" in box.text


def test_only_the_kinds_that_are_wanted_are_told(tmp_path: Path, box: Box) -> None:
    office = Office(tmp_path, box, settings=Settings(kinds=("halts",)))
    office.look()
    office.write(a_trade("ETHUSDT", 1.0, NOON_MS), halted(True, 1), a_fault("ETHUSDT", NOON_MS))
    office.look()
    office.look(24 * HOUR_MS)
    assert box.titles == ["Chloe paper: halted"]


def test_what_stands_wrong_outside_of_the_journal_is_told_once_and_its_end(office: Office, box: Box) -> None:
    office.look()
    for words in ("engine.json: line 3", "engine.json: line 3", "", "", "engine.json: line 4"):
        office.alerter.standing("configuration", words)
        office.look(1_000)
    topics = [title.removeprefix("Chloe paper: ") for title in box.titles]
    assert topics == ["configuration", "configuration: over", "configuration"]
    office.started()
    office.alerter.standing("configuration", "engine.json: line 4")
    office.look(1_000)
    assert len(box.taken) == 3


def test_an_engine_that_stands_still_is_told_without_its_journal(office: Office, box: Box) -> None:
    office.look()
    office.alerter.standing("engine", "paper stands still: no space left on the disk")
    office.alerter.attend(office.now_ms)
    wait_for(lambda: box.titles == ["Chloe paper: engine"])
    office.look()
    assert office.statuses() == ["sent"]


def test_a_demotion_is_told(office: Office, box: Box) -> None:
    office.look()
    halved = {"from": "live", "to": "live", "size_factor": 0.5, "reason": "drift (trade 41)"}
    back = {"from": "live", "to": "paper", "size_factor": 0.0, "reason": "drawdown"}
    office.write(
        Event("rollout", "ETHUSDT", "a", 0, json.dumps(halved)),
        Event("rollout", "BTCUSDT", "b", 0, json.dumps(back)),
    )
    office.look()
    assert "ETHUSDT stays live, at 0.5 of its usual risk: drift (trade 41); chloe audit ETHUSDT" in box.text
    assert "BTCUSDT live → paper: drawdown; chloe audit BTCUSDT" in box.text


def test_old_news_are_counted_but_not_told(office: Office, box: Box) -> None:
    office.settings.kinds = ("trades", "summary")
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, office.now_ms))
    office.started()
    office.look(30 * HOUR_MS)
    assert box.titles == ["Chloe paper: summary of 2026-11-19"]
    assert "1 trade: +5.00" in box.text


def test_without_targets_nothing_is_read_or_written(tmp_path: Path, box: Box) -> None:
    office = Office(tmp_path, box, targets=())
    office.write(a_trade("ETHUSDT", 1.0, NOON_MS))
    office.look()
    assert list(tmp_path.iterdir()) == [] and box.taken == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"seq": 1}', '{"seq": "x", "number": []}', "\xff"]
)
def test_a_memory_that_can_not_be_read_begins_anew(office: Office, box: Box, content: str) -> None:
    office.look()
    (office.folder / FILE_NAME).write_text(content, encoding="latin-1")
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.started()
    office.look()
    assert box.taken == []
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS + 1))
    office.look()
    assert "n" in box.text and "no losses in 2" in box.text


def test_a_journal_put_back_from_a_backup_is_read_from_its_end(office: Office, box: Box) -> None:
    office.look()
    office.write(*(a_decision("ETHUSDT", number) for number in range(9)))
    office.look()
    office.journal = MemoryJournal()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.look()
    assert box.taken == []
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS + 1))
    office.look()
    assert len(box.taken) == 1


def test_a_folder_that_can_not_be_written_stops_no_alert(tmp_path: Path, box: Box) -> None:
    office = Office(tmp_path / "away", box)
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
    office.look()
    office.write(a_trade("ETHUSDT", 5.0, NOON_MS + 1))
    office.look()
    assert len(box.taken) == 2
    assert [alert for alert in office.alerts if alert["status"] == "dead"] == [
        {
            "status": "dead",
            "target": "alerts.json",
            "reason": f"{office.folder}/alerts.json can't be written (No such file or directory)",
        }
    ]
