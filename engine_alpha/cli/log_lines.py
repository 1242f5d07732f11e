"""Journal events as the lines that an engine logs, for a machine where nothing keeps its log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine_alpha.kernel.values import SubAccount
from engine_alpha.loop.telling import position_words, profit_factor_words
from engine_alpha.notices.memory import Memory
from engine_alpha.notices.messages import TRADES
from engine_alpha.notices.wording import notes_of
from engine_alpha.ports import StoredEvent
from engine_alpha.reports.gates import blocking
from engine_alpha.reports.words import gain, number, price
from engine_alpha.step.recording import decision_view
from engine_alpha.step.text import build
from engine_alpha.times import minute

INFO, WARNING, ERROR = "INFO", "WARNING", "ERROR"

_TOLD_BY_NOTES = ("execution", "live", "halt", "flatten", "breaker", "rollout")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line; `at_ms` is when the event was written."""

    at_ms: int
    account: str
    seq: int
    symbol: str
    level: str
    message: str

    def text(self) -> str:
        """Return it as an engine in a terminal logs it, UTC."""
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{at} {self.level} {self.message}"


class Teller:
    """Puts the events of one account into words, in the order they were written.

    What real orders look like is compared with the events told before.
    """

    def __init__(self, account: str, mark: str) -> None:
        self._account, self._mark = account, mark
        self._memory = Memory(seq=0, number=0, summed_day="")

    def lines(self, stored: StoredEvent) -> list[LogLine]:
        """Return what an event says; nothing for those that only carry state."""
        kind = stored.event.kind
        if kind in _TOLD_BY_NOTES:
            notes = notes_of(self._memory, stored)
            told = [(INFO if note.kind == TRADES else WARNING, note.line) for note in notes]
        else:
            wording = _WORDINGS.get(kind)
            about = {"symbol": stored.event.symbol}
            told = [wording(about | json.loads(stored.event.payload))] if wording is not None else []
        return [
            LogLine(
                at_ms=stored.at_ms,
                account=self._account,
                seq=stored.seq,
                symbol=stored.event.symbol,
                level=level,
                message=f"{self._mark}{message}",
            )
            for level, message in told
        ]


def _decision(payload: Mapping[str, Any]) -> tuple[str, str]:
    view = decision_view(payload)
    parts = [
        f"{view['symbol']} bar {minute(view['open_ms'])} close {number(view['close'])}",
        f"{view['regime']}, {view['direction']}, confidence {view['confidence']:.2f}",
    ]
    blocked = blocking(view)
    parts.append(f"blocked by {', '.join(blocked)}" if blocked else "no gate blocks")
    parts.append(f"decision {_action(view)}")
    if "sub" in payload["after"]:
        sub: SubAccount = build(SubAccount, payload["after"]["sub"])
        parts += [f"position {position_words(sub.position)}", f"PF {profit_factor_words(sub)}"]
    return INFO, " | ".join(parts)


def _action(view: Mapping[str, Any]) -> str:
    intent = view["intent"]
    if intent is not None:
        quantity = number(intent["quantity_base"])
        return f"{view['action']} {intent['side']} {quantity} at the next open by {intent['card']}"
    reason = view["exit"]["reason"]
    leaving = view["action"] not in ("hold", "enter") and reason
    return f"{view['action']} at the next open: {reason}" if leaving else str(view["action"])


def _no_decision(payload: Mapping[str, Any]) -> tuple[str, str]:
    bar = f"{payload['symbol']} bar {minute(payload['open_ms'])}"
    return WARNING, f"{bar}: no decision, {payload['reason']}: {payload['detail']}"


def _fill(payload: Mapping[str, Any]) -> tuple[str, str]:
    what = "bought" if payload["side"] == "buy" else "sold"
    quantity, at = price(payload["quantity_base"]), price(payload["price"])
    return INFO, f"{payload['symbol']} {what} {quantity} at {at}: {payload['reason']}"


def _trade(payload: Mapping[str, Any]) -> tuple[str, str]:
    return INFO, (
        f"{payload['symbol']} {payload['side']} closed by {payload['exit_reason']} at "
        f"{price(payload['exit_price'])}: {gain(payload['net_quote'])}, {payload['r']:+.2f} R, "
        f"{payload['bars_held']} bars, by {payload['card']}"
    )


def _order(payload: Mapping[str, Any]) -> tuple[str, str]:
    intent = payload["intent"]
    words = (
        f"{intent['symbol']} {intent['leg']} {intent['side']} {intent['quantity_base']} at {payload['venue']}"
    )
    return INFO, f"{words}: {payload['what']} ({payload['status']})"


def _protection(payload: Mapping[str, Any]) -> tuple[str, str]:
    stop = payload["stop_price"] or "none"
    return INFO, f"{payload['symbol']} stop {stop} at {payload['venue']}: {payload['what']}"


_WORDINGS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "decision": _decision,
    "no_decision": _no_decision,
    "fill": _fill,
    "trade": _trade,
    "order": _order,
    "protection": _protection,
}
