"""Sending by apprise: to a real server here, a dead port, a slow server; never in trading's way."""

import json
import logging
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest

from engine_alpha.notices import sending
from engine_alpha.notices.apprising import UNKNOWN_KIND, UNREACHABLE, send_by_apprise
from engine_alpha.notices.courier import Courier, target_names
from engine_alpha.notices.messages import BROKE, Message
from engine_alpha.notices.sending import send_apart
from tests.unit.notices.receiving import HOUR_MS, NOON_MS, Office, a_trade, receiver, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's

PLANTED = "PlantedToken0123456789"
DEAD_PORT = 9  # discard: nobody listens there


def a_message(number: int = 1, kind: str = "faults") -> Message:
    return Message(number=number, at_ms=NOON_MS, kind=kind, title="Chloe paper: <frozen>", body="a & b\nÄ €")


def test_a_message_arrives_as_it_is() -> None:
    with receiver() as seen:
        assert send_by_apprise(seen.target, a_message()) == ""
        assert send_by_apprise(seen.target, a_message(kind="trades")) == ""
    assert [(body["title"], body["message"], body["type"]) for body in seen.bodies] == [
        ("Chloe paper: <frozen>", "a & b\nÄ €", "warning"),
        ("Chloe paper: <frozen>", "a & b\nÄ €", "info"),
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [(401, "token or password is wrong"), (404, "nothing at that address"), (429, "fewer"), (503, "later")],
)
def test_a_refusal_says_what_to_do(code: int, words: str) -> None:
    with receiver() as seen:
        seen.code = code
        reason = send_by_apprise(seen.target, a_message())
    assert f"HTTP {code}: " in reason and words in reason


@pytest.mark.parametrize(
    "target", ["nosuch://abc", "tgram://bad", "json://", "mailto://x", f"tgram://{PLANTED}", "http//x://"]
)
def test_an_address_that_is_none_is_told_and_not_shown(
    target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert send_by_apprise(target, a_message()) == UNKNOWN_KIND
    assert capfd.readouterr() == ("", "")


def test_nothing_of_apprises_log_comes_through(capfd: pytest.CaptureFixture[str]) -> None:
    kept = StringIO()
    handler = logging.StreamHandler(kept)
    root, apprise = logging.getLogger(), logging.getLogger("apprise")
    root.addHandler(handler)
    apprise.setLevel(logging.DEBUG)
    try:
        target = f"json://user:{PLANTED}@127.0.0.1:{DEAD_PORT}/{PLANTED}?-token={PLANTED}"
        assert send_by_apprise(target, a_message()) == UNREACHABLE
    finally:
        root.removeHandler(handler)
        apprise.setLevel(logging.NOTSET)
    assert capfd.readouterr() == ("", "") and kept.getvalue() == ""


def test_names_show_kind_and_place_only() -> None:
    targets = (f"tgram://{PLANTED}/123", f"json://u:{PLANTED}@host/", f"json://{PLANTED}/", f"{PLANTED}://x")
    assert list(target_names(targets)) == ["tgram #1", "json #2", "json #3", "target #4"]


def test_a_slow_and_a_dead_target_delay_neither_trading_nor_the_others(tmp_path: Path) -> None:
    with receiver() as quick, receiver() as slow:
        slow.delay_s = 3.0
        targets = (f"{slow.target}?rto=1", quick.target, f"json://127.0.0.1:{DEAD_PORT}/{PLANTED}")
        office = Office(tmp_path, send_apart, targets)
        office.alerter.observe(office.journal, NOON_MS)
        office.write(a_trade("ETHUSDT", 5.0, NOON_MS))
        began_s = time.monotonic()
        for _ in range(20):
            events = office.alerter.observe(office.journal, NOON_MS)
            office.alerts += [json.loads(event.payload) for event in events]
        assert time.monotonic() - began_s < 0.5
        wait_for(lambda: quick.titles == ["Chloe paper: trade closed"])
        office.look(1_000)
    dead = {alert["target"]: alert["reason"] for alert in office.alerts if alert["status"] == "dead"}
    assert dead == {"json #1": UNREACHABLE, "json #3": UNREACHABLE}
    assert PLANTED not in json.dumps(office.alerts)
    assert PLANTED not in (tmp_path / "alerts.json").read_text()
    office.alerter.close(0.1)


def test_a_target_that_comes_back_gets_what_waited_in_order(tmp_path: Path) -> None:
    with receiver() as seen:
        seen.code = 500
        office = Office(tmp_path, send_by_apprise, (seen.target,))
        office.look()
        for number in range(3):
            office.write(a_trade("ETHUSDT", float(number), NOON_MS + number))
            office.look(1_000)
        seen.bodies.clear()
        seen.code = 200
        office.look(HOUR_MS)
        firsts = [body["message"].splitlines()[0] for body in seen.bodies]
    assert [line.split(": ")[1].split(",")[0] for line in firsts] == ["+0.00", "+1.00", "+2.00"]
    assert office.statuses() == ["dead", "back", "sent", "sent", "sent"]


def test_a_sender_that_breaks_is_told_without_its_words_and_tried_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    calls = []

    def send(_target: str, message: Message) -> str:
        calls.append(message)
        if len(calls) == 1:
            raise RuntimeError(PLANTED)
        return ""

    courier = Courier(("box://x",), send)
    courier.put(a_message())
    courier.tend(0)
    wait_for(lambda: len(calls) == 1)
    wait_for(lambda: bool(found := courier.tend(0)) and found[0].reason == BROKE)
    assert courier.tend(4_999) == [] and len(calls) == 1
    courier.tend(5_000)
    wait_for(lambda: [report.status for report in courier.tend(5_000)] == ["back", "sent"])
    assert capfd.readouterr() == ("", "")


def test_a_slow_target_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    program = """
import sys, time
from engine_alpha.notices.courier import Courier
from engine_alpha.notices.messages import Message
from engine_alpha.notices.sending import send_apart
courier = Courier((sys.argv[1],), send_apart)
courier.put(Message(number=1, at_ms=0, kind="faults", title="t", body="b"))
courier.tend(0)
time.sleep(0.5)
began = time.monotonic()
courier.finish(0.2)
assert "apprise" not in sys.modules and "requests" not in sys.modules
print(f"{time.monotonic() - began:.2f}")
"""
    with receiver() as seen:
        seen.delay_s = 30.0
        began_s = time.monotonic()
        command = [sys.executable, "-c", program, f"{seen.target}?rto=25"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        took_s = time.monotonic() - began_s
    assert run.returncode == 0, run.stderr
    assert 0.1 < float(run.stdout) < 1.5
    assert took_s < 15.0


def test_a_message_sent_apart_arrives_and_a_refusal_comes_back() -> None:
    with receiver() as seen:
        assert send_apart(seen.target, a_message()) == ""
        seen.code = 403
        assert "HTTP 403: token or password is wrong" in send_apart(seen.target, a_message())
    assert [body["message"] for body in seen.bodies] == ["a & b\nÄ €"] * 2
    assert send_apart(f"nosuch://{PLANTED}", a_message()) == UNKNOWN_KIND


def test_a_sender_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 2.0)
    with receiver() as seen:
        seen.delay_s = 20.0
        began_s = time.monotonic()
        assert send_apart(f"{seen.target}?rto=20", a_message()) == sending.SLOW
    assert time.monotonic() - began_s < 10.0


@pytest.mark.parametrize(
    "program", [f"raise SystemError('{PLANTED}')", "print('no JSON')", "print('{}')", "import os; os.abort()"]
)
def test_a_sender_that_breaks_is_told_without_its_words(
    program: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sending, "_COMMAND", (sys.executable, "-c", program))
    assert send_apart(f"json://{PLANTED}", a_message()) == BROKE
    monkeypatch.setattr(sending, "_COMMAND", ("/no/such/program",))
    assert send_apart(f"json://{PLANTED}", a_message()) == BROKE
    assert capfd.readouterr() == ("", "")
