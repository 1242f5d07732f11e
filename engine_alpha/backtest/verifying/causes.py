"""Why a step taken again came out differently: the first thing in its course that is not the same."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine_alpha.backtest.verifying.findings import (
    DECISION_DIFFERS,
    ENGINE_VERSION,
    FILL_DIFFERS,
    FUNDING_DIFFERS,
    MINUTES_DIFFER,
    SIGNALS_DIFFER,
    STATE_DIFFERS,
    Change,
    Finding,
)
from engine_alpha.backtest.verifying.replay import DECIDED, Again, Decided
from engine_alpha.kernel.signals import FUNDING_PRESSURE, SIGNALS
from engine_alpha.kernel.values import Decision
from engine_alpha.ports import Event
from engine_alpha.step.recording import FILL, FUNDING, TRADE, decision_words, named_record
from engine_alpha.step.text import named

NOT_COMPARED = ("engine", "config_hash", "config_parts", "place", "source", "account")
_MOST_NAMED = 3
_MONEY = ("price", "quantity_base", "fee_quote", "at_ms", "reason", "side")


def cause_of(decided: Decided, again: Again, version: str) -> Finding | None:
    """Return what a decision and its repetition on equal bars and settings differ in; None for nothing.

    Where another version of Chloe decided then, that is the cause.
    """
    then, now = decided.payload, again.payload
    found = (
        _of_minutes(decided, now)
        or _of_signals(decided, now)
        or _of_settlement(decided, now)
        or _of_decision(decided, now)
        or _of_events(decided, again)
        or _of_state(decided, now)
    )
    if found is None:
        return None
    if then["engine"] != version and found.cause not in (FUNDING_DIFFERS, MINUTES_DIFFER):
        detail = f"first: {found.cause.replace('_', ' ')}, {found.detail or found.subject}"
        found = about(decided, ENGINE_VERSION, f"{then['engine']}, now {version}", detail)
    return replace(found, different=int(comes_out_differently(then, now)))


def comes_out_differently(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether two payloads settle or decide differently: fills, action, order, exit, what gates answer.

    A view or a measurement that moves without consequence is no other decision. Cards are told apart by name.
    """
    before, after = _outcome(then), _outcome(now)
    return before != after


def _outcome(payload: Mapping[str, Any]) -> tuple[Any, ...]:
    record, cards = named_record(payload["record"]), payload["cards"]
    settlement, words = record["settlement"], decision_words(record["decision"], cards)
    trade = settlement["trade"]
    order = {name: value for name, value in (words["intent"] or {}).items() if name != "confidence"}
    return (
        {**settlement, "trade": {**trade, "card": cards[trade["card"]] if trade["side"] else ""}},
        (words["action"], words["exit"]["reason"], words["card"], order),
        (_answers(words["gates"]), _answers(words["allocation"])),
    )


def _answers(gates: list[dict[str, Any]]) -> list[bool]:
    """Return which gates passed: what they saw and their limits may move without deciding anything."""
    return [gate["passed"] for gate in gates]


def about(
    decided: Decided, cause: str, subject: str, detail: str, changes: tuple[Change, ...] = ()
) -> Finding:
    """Return a finding about one decision."""
    return Finding(
        cause=cause,
        symbols=(decided.symbol,),
        first_ms=decided.open_ms,
        last_ms=decided.open_ms,
        decisions=1,
        subject=subject,
        changes=changes,
        detail=detail,
    )


def _of_minutes(decided: Decided, now: Mapping[str, Any]) -> Finding | None:
    then_hash, now_hash = decided.payload.get("minutes_hash"), now.get("minutes_hash")
    if then_hash == now_hash:
        return None
    if not then_hash:
        text = "they did not make up the bar then and do now"
    else:
        text = "they were revised" if now_hash else "they do not make up the bar any more"
    return about(decided, MINUTES_DIFFER, "", text)


def _of_signals(decided: Decided, now: Mapping[str, Any]) -> Finding | None:
    then = decided.payload["signals"]
    changes = tuple(
        Change(key=spec.name, then=before, now=after)
        for spec, before, after in zip(SIGNALS, then, now["signals"], strict=True)
        if before != after
    )
    if not changes:
        return None
    if [change.key for change in changes] == [SIGNALS[FUNDING_PRESSURE].name]:
        return about(decided, FUNDING_DIFFERS, "", "settlements that the signals saw were others")
    names = _few([change.key for change in changes])
    text = f"{names}: equal bars give other signals; first at this bar"
    return about(decided, SIGNALS_DIFFER, "", text)


def _of_settlement(decided: Decided, now: Mapping[str, Any]) -> Finding | None:
    before, after = (named_record(payload["record"])["settlement"] for payload in (decided.payload, now))
    if before == after:
        return None
    for leg in ("entry", "exit"):
        changes = _changed(before[leg], after[leg])
        if changes:
            return about(decided, FILL_DIFFERS, f"{leg} in the decision's record", "", changes)
    funding = _changed(before, after, ("funding_quote", "funding_unknown"))
    if funding:
        one = funding[0]
        return about(decided, FUNDING_DIFFERS, "", f"{one.key} was {one.then} and is {one.now}")
    return about(
        decided, FILL_DIFFERS, "trade in the decision's record", "", _changed(before["trade"], after["trade"])
    )


def _of_decision(decided: Decided, now: Mapping[str, Any]) -> Finding | None:
    then = decided.payload
    if then["record"][DECIDED:] == now["record"][DECIDED:] and then["shadows"] == now["shadows"]:
        return None
    paths = [
        *_paths(_decision(then), _decision(now)),
        *(f"shadow {path}" for path in _paths(then["shadows"], now["shadows"])),
    ]
    text = f"{_few(paths)}: the same bars, signals and settings give another decision"
    return about(decided, DECISION_DIFFERS, "", text)


def _decision(payload: Mapping[str, Any]) -> dict[str, Any]:
    words = decision_words(named(Decision, payload["record"][DECIDED]), payload["cards"])
    gates = {gate["name"]: gate for gate in (*words["gates"], *words["allocation"])}
    kept = {name: value for name, value in words.items() if name not in ("gates", "allocation")}
    return {**kept, **gates, "equity_quote": payload["record"][DECIDED + 1]}


def _of_events(decided: Decided, again: Again) -> Finding | None:
    """Compare the fills, the trade and the funding that were written beside the decision."""
    then, now = _by_key(decided.events[1:]), _by_key(again.events[1:])
    for key in dict.fromkeys((*then, *now)):
        before, after = then.get(key, {}), now.get(key, {})
        if before != after:
            kind, leg = key[0], key[1].rpartition("/")[2]
            changes = _changed(before, after)
            if kind == FUNDING:
                return about(decided, FUNDING_DIFFERS, "", "the event differs from the decision's record")
            subject = f"{leg} fill" if kind == FILL else "trade"
            return about(decided, FILL_DIFFERS, subject, "", changes)
    return None


def _by_key(events: tuple[Event, ...]) -> dict[tuple[str, str], dict[str, Any]]:
    kinds = (FILL, TRADE, FUNDING)
    return {(one.kind, one.key): json.loads(one.payload) for one in events if one.kind in kinds}


def _of_state(decided: Decided, now: Mapping[str, Any]) -> Finding | None:
    then = decided.payload
    paths = [
        path
        for name in dict.fromkeys((*then, *now))
        if name not in NOT_COMPARED and then.get(name) != now.get(name)
        for path in _paths({name: then.get(name)}, {name: now.get(name)})
    ]
    if not paths:
        return None
    return about(decided, STATE_DIFFERS, "", f"{_few(paths)} is not what the bar made of the state before")


def _changed(
    then: Mapping[str, Any], now: Mapping[str, Any], only: tuple[str, ...] | None = None
) -> tuple[Change, ...]:
    """Return what differs, what costs money first."""
    names = [name for name in dict.fromkeys((*then, *now)) if only is None or name in only]
    names.sort(key=lambda name: name not in _MONEY)
    return tuple(
        Change(key=name, then=then.get(name), now=now.get(name))
        for name in names
        if then.get(name) != now.get(name)
    )


def _paths(then: Any, now: Any, path: str = "") -> list[str]:
    """Return where two values differ, as dotted names."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [
            found
            for name in dict.fromkeys((*then, *now))
            for found in _paths(then.get(name), now.get(name), f"{path}.{name}" if path else str(name))
        ]
    return [] if then == now else [path]


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
