"""What people are told: lines, and messages made of lines that belong together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from engine_alpha.times import minute

TRADES, FAULTS, HALTS, ROLLOUT, SUMMARY = "trades", "faults", "halts", "rollout", "summary"
TEST = "test"  # `chloe alerts test`

BROKE = "the sender broke off, which is a bug of the service's plug-in: try the newest apprise"

MOST_LINES = 12
_LONGEST_LINE = 300


class AlertsSettings(Protocol):
    """What `alerts` of engine.json says."""

    @property
    def kinds(self) -> Sequence[str]:
        """What is told."""
        ...

    @property
    def summary_at(self) -> str:
        """When the daily summary is told: HH:MM, UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing to tell. Notes of one kind and topic are told together; `topic` is a title for several."""

    kind: str
    topic: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to every target."""

    number: int
    at_ms: int
    kind: str
    title: str
    body: str


Sender = Callable[[str, Message], str]
"""Send a message to an address; return why that failed, in words without the address, or "" if it did not.

It may take long and must not raise: it runs in a thread of its own.
"""


def notes_to_messages(account: str, notes: Iterable[Note], at_ms: int, number: int) -> list[Message]:
    """Return one message for each kind and topic, numbered from `number` on."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        grouped.setdefault((note.kind, note.topic), []).append(line_of(note.line))
    found = []
    for place, ((kind, topic), lines) in enumerate(grouped.items()):
        alone = len(lines) == 1 or kind == SUMMARY
        title = f"Chloe {account}: {topic if alone else f'{len(lines)} × {topic}'}"
        shown = [
            *lines[:MOST_LINES],
            *([f"and {len(lines) - MOST_LINES} more"] if lines[MOST_LINES:] else []),
        ]
        body = "\n".join([*shown, f"{minute(at_ms)} UTC"])
        found.append(Message(number=number + place, at_ms=at_ms, kind=kind, title=title, body=body))
    return found


def line_of(text: str) -> str:
    """Return a text that fits on one line and into any encoding: details come from files and venues."""
    flat = " ".join(text.encode("utf-8", "replace").decode().split())
    return flat if len(flat) <= _LONGEST_LINE else f"{flat[:_LONGEST_LINE]}…"


def day_of(at_ms: int) -> str:
    """Return the date, UTC: 2025-11-25."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")


def gain(value: float) -> str:
    """Return an amount with its sign."""
    return f"{round(value, 2) + 0.0:+,.2f}"


def price(value: float) -> str:
    """Return a price or quantity with all its digits and no exponent."""
    return f"{value:.10f}".rstrip("0").rstrip(".") or "0"


def factor(trades: int, profit_quote: float, loss_quote: float) -> str:
    """Return a profit factor with its number of trades."""
    if trades == 0:
        return "PF unknown (n=0)"
    if loss_quote <= 0.0:
        return f"PF: no losses in {trades}"
    return f"PF {profit_quote / loss_quote:.2f} (n={trades})"
