"""What the alerts of one account remember over a restart: where they read on, what was told, what waits."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from engine_alpha.atomic_files import write_atomically
from engine_alpha.notices.messages import Message

FILE_NAME = "alerts.json"

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """Closed trades of one asset, added up."""

    trades: int = 0
    profit_quote: float = 0.0
    loss_quote: float = 0.0

    @property
    def net_quote(self) -> float:
        """Return what they made."""
        return self.profit_quote - self.loss_quote

    def add(self, net_quote: float) -> None:
        """Take in one trade."""
        self.trades += 1
        self.profit_quote += max(0.0, net_quote)
        self.loss_quote += max(0.0, -net_quote)

    def join(self, other: "Tally") -> None:
        """Take in another tally."""
        self.trades += other.trades
        self.profit_quote += other.profit_quote
        self.loss_quote += other.loss_quote


@dataclass(slots=True)
class Day:
    """What the summary of one day needs, by asset."""

    trades: dict[str, Tally] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Orders:
    """What is known of an asset's real orders; `naked_told_ms` is the nakedness that was told."""

    frozen: str = ""
    leave: str = ""
    naked_since_ms: int = 0
    naked_told_ms: int = 0


@dataclass(slots=True)
class Bar:
    """A bar that got no decision: the key that one would have in the journal, why, and since when."""

    key: str
    detail: str
    at_ms: int


@dataclass(slots=True)
class Waiting:
    """Faults of one reason that are told together, if they last until `due_ms`; by asset."""

    due_ms: int
    bars: dict[str, Bar] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """All of it. `seq` is the last event read; `summed_day` the last day whose summary was told.

    `told` has when a fault was last told, `faulty` whose mending is still to be told, `standing` what stands
    wrong with the engine itself. `waiting` names the messages that each target has not taken yet.
    """

    seq: int
    number: int
    summed_day: str
    told: dict[str, int] = field(default_factory=dict)
    pending: dict[str, Waiting] = field(default_factory=dict)
    faulty: dict[str, Bar] = field(default_factory=dict)
    standing: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Orders] = field(default_factory=dict)
    drawdown_halted: bool = False
    books: dict[str, Tally] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    waiting: dict[str, list[int]] = field(default_factory=dict)

    def mark(self) -> object:
        """Return what differs whenever anything does: most looks change nothing, and `text` is long.

        What events change comes with `seq`, what is told with `number`.
        """
        return (
            *(self.seq, self.number, self.summed_day, self.drawdown_halted),
            *(tuple(self.pending), len(self.told), len(self.faulty), tuple(self.standing.items())),
            tuple(orders.naked_told_ms for orders in self.orders.values()),
            tuple((name, tuple(numbers)) for name, numbers in self.waiting.items()),
            len(self.days),
        )

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def save_memory(folder: Path, text: str) -> None:
    """Write it so that a crash leaves the old or the new one; raise `OSError` if it can't be written."""
    write_atomically(folder / FILE_NAME, text.encode())


def load_memory(folder: Path) -> Memory | None:
    """Return what was remembered, None if there is nothing; raise `ValueError` for what can't be read."""
    try:
        found = json.loads((folder / FILE_NAME).read_bytes())
        return _memory_of(found)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise ValueError(f"{type(fault).__name__}: {fault}") from None


def _memory_of(found: dict[str, Any]) -> Memory:
    return Memory(
        seq=int(found["seq"]),
        number=int(found["number"]),
        summed_day=str(found["summed_day"]),
        told=_each(int, found["told"]),
        pending=_each(lambda one: Waiting(int(one["due_ms"]), _each(_bar, one["bars"])), found["pending"]),
        faulty=_each(_bar, found["faulty"]),
        standing=_each(int, found["standing"]),
        orders=_each(_orders, found["orders"]),
        drawdown_halted=bool(found["drawdown_halted"]),
        books=_each(_tally, found["books"]),
        days=_each(lambda one: Day(_each(_tally, one["trades"]), _each(int, one["faults"])), found["days"]),
        messages=[_message(one) for one in found["messages"]],
        waiting=_each(lambda numbers: [int(number) for number in numbers], found["waiting"]),
    )


def _each(kind: Callable[[Any], T], found: dict[str, Any]) -> dict[str, T]:
    return {str(name): kind(one) for name, one in found.items()}


def _bar(found: dict[str, Any]) -> Bar:
    return Bar(str(found["key"]), str(found["detail"]), int(found["at_ms"]))


def _tally(found: dict[str, Any]) -> Tally:
    return Tally(int(found["trades"]), float(found["profit_quote"]), float(found["loss_quote"]))


def _orders(found: dict[str, Any]) -> Orders:
    since_ms, told_ms = int(found["naked_since_ms"]), int(found["naked_told_ms"])
    return Orders(str(found["frozen"]), str(found["leave"]), since_ms, told_ms)


def _message(found: dict[str, Any]) -> Message:
    words = {name: str(found[name]) for name in ("kind", "title", "body")}
    return Message(number=int(found["number"]), at_ms=int(found["at_ms"]), **words)
