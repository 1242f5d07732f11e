"""`chloe alerts`: who is told what, whether that arrives, and what was told lately."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

import click

from engine_alpha.cli.accounts import Account, reading, trading_accounts
from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.config.engine import AlertKind, read_engine
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.home import Home
    from engine_alpha.notices.messages import Sender

SOME_FAILED, ALL_FAILED = 3, 4
KINDS = get_args(AlertKind)
_LATELY = 10


@click.group(
    cls=LazyGroup,
    epilog=examples(
        "chloe alerts status               who is told what, and what was told lately",
        "chloe alerts test                 a message to every target, and what became of it",
        "chloe alerts test --kind faults   as if something were wrong",
    )
    + "\n\n\b\nTargets are secrets: secrets/alerts.json of the home, mode 0600, with\n"
    '{"targets": ["tgram://BOT_TOKEN/CHAT_ID", "mailto://USER:PASSWORD@HOST"]}; the services and their\n'
    "addresses: https://appriseit.com/services/. What is told: alerts.kinds of engine.json.",
)
def alerts() -> None:
    """Alerts to people by Telegram, mail, a webhook and some 170 other services: test, status."""


@alerts.command(
    short_help="Send a test message to every target now.",
    epilog=examples("chloe alerts test", "chloe alerts test --kind trades", "chloe alerts test --json")
    + "\n\n\b\nExit codes: 0 all took it; 2 configuration; 3 some targets failed; 4 all failed.",
)
@click.option("--kind", type=click.Choice(KINDS), default="summary", help="As if it were this kind of alert.")
@home_option
@json_option
def test(kind: str) -> int:
    """Send a test message to every target now, and say which did not take it and what to do.

    Works beside a running engine. A target is named by its kind of service and place in the file, never by
    its address.
    """
    from engine_alpha.config.alert_targets import read_alert_targets
    from engine_alpha.loop.wiring import alert_sender

    home = chosen_home()
    targets = read_alert_targets(home)
    if not targets:
        raise ConfigError(_nobody(home))
    results = _sent(home, targets, kind, alert_sender())
    failed = [result for result in results if result["reason"]]
    if wants_json():
        show_json({"home": str(home.path), "kind": kind, "targets": results})
    else:
        _show_sent(results)
        wanted = read_engine(home.engine).alerts.kinds
        if kind not in wanted:
            show(f"the engine itself tells no {kind}: add it to alerts.kinds of {home.engine}")
    if not failed:
        return 0
    return ALL_FAILED if len(failed) == len(results) else SOME_FAILED


def _nobody(home: Home) -> str:
    from engine_alpha.config.alert_targets import alert_targets_file, write_it

    path = alert_targets_file(home)
    return f"nobody is told anything, {path} names no target: {write_it(path)}"


def _sent(home: Home, targets: tuple[str, ...], kind: str, send: Sender) -> list[dict[str, Any]]:
    """Send to all targets at once; return what became of each, and how long it took."""
    from engine_alpha.notices.courier import target_names
    from engine_alpha.notices.messages import Message
    from engine_alpha.times import minute

    at_ms = now_ms()
    body = f"This is a test of {home.path}: alerts of kind {kind} look like this.\n{minute(at_ms)} UTC"
    message = Message(number=0, at_ms=at_ms, kind=kind, title="Chloe: test", body=body)

    def deliver(target: str) -> tuple[str, int]:
        began_s = time.monotonic()
        reason = send(target, message)
        return reason, round((time.monotonic() - began_s) * 1_000)

    named = target_names(targets)
    with ThreadPoolExecutor(len(named)) as pool:
        outcomes = pool.map(deliver, named.values())
        return [
            {"target": name, "taken": not reason, "reason": reason, "took_ms": took_ms}
            for name, (reason, took_ms) in zip(named, outcomes, strict=True)
        ]


def _show_sent(results: list[dict[str, Any]]) -> None:
    from engine_alpha.reports.table import Table, columns

    rows = tuple(
        (result["target"], "taken" if result["taken"] else "FAILED", f"{result['took_ms']} ms")
        for result in results
    )
    show(Table(columns=columns("target", "test", ">took"), rows=rows))
    show(*(f"{result['target']}: {result['reason']}" for result in results if result["reason"]))


@alerts.command(
    short_help="Who is told what, and what was told lately.",
    epilog=examples("chloe alerts status", "chloe alerts status --account live --json"),
)
@account_option
@home_option
@json_option
def status() -> None:
    """Show who is told what, and for every account that trades what was told lately and what waits.

    Sends nothing and reads files and journals only: also while a runner works.
    """
    from engine_alpha.config.alert_targets import read_alert_targets
    from engine_alpha.notices.courier import target_names

    home = chosen_home()
    settings = read_engine(home.engine).alerts
    found = {
        "home": str(home.path),
        "targets": list(target_names(read_alert_targets(home))),
        "kinds": list(settings.kinds),
        "summary_at": settings.summary_at,
        "accounts": [_account_fields(account) for account in trading_accounts(home)],
    }
    if wants_json():
        show_json(found)
    else:
        _show_status(home, found)


def _account_fields(account: Account) -> dict[str, Any]:
    """Return what one account's journal and memory say of its alerts."""
    from engine_alpha.notices.alerting import ALERT
    from engine_alpha.notices.memory import load_memory

    lately: list[dict[str, Any]] = []
    if account.exists:
        with reading(account) as journal:
            newest = islice(journal.events(ALERT, newest_first=True), _LATELY)
            lately = [{"at_ms": each.at_ms, **json.loads(each.event.payload)} for each in newest]
    fields: dict[str, Any] = {"account": account.name, "summed_day": None, "waiting": {}, "lately": lately}
    try:
        memory = load_memory(account.folder)
    except ValueError as fault:
        return {**fields, "fault": f"{account.folder}/alerts.json can't be read: {fault}"}
    if memory is not None:
        waiting = {name: len(numbers) for name, numbers in memory.waiting.items()}
        fields |= {"summed_day": memory.summed_day, "waiting": waiting}
    return fields


def _show_status(home: Home, found: dict[str, Any]) -> None:
    from engine_alpha.reports.table import pairs

    targets = ", ".join(found["targets"]) or _nobody(home)
    kinds = ", ".join(found["kinds"]) or "nothing: alerts.kinds of engine.json is empty"
    show(*pairs([("to", targets), ("told", kinds), ("summary", f"daily at {found['summary_at']} UTC")]))
    for account in found["accounts"]:
        waits = [f"{count} for {name}" for name, count in account["waiting"].items()]
        summed = account["summed_day"]
        words = f"last summary {summed}" if summed else "no alerts yet: chloe run tells them"
        show("", f"{account['account']}: {words}" + (f"; waiting: {', '.join(waits)}" if waits else ""))
        show(*([account["fault"]] if "fault" in account else []))
        show(*(f"  {_told(event)}" for event in account["lately"]))


def _told(event: dict[str, Any]) -> str:
    """Return what became of an alert, or of a target, in one line."""
    from engine_alpha.times import minute

    at = minute(event["at_ms"])
    status = event["status"]
    if status == "sent":
        return f"{at}  sent to {', '.join(event['targets'])}: {event['title']}"
    if status == "dead":
        return f"{at}  {event['target']} FAILED: {event['reason']}"
    if status == "back":
        return f"{at}  {event['target']} takes alerts again"
    return f"{at}  {event['target']} had no room for: {'; '.join(event['titles'])}"
