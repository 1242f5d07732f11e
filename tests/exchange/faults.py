"""The fault dials: what goes wrong, for which path and symbol, how often.

Transport kinds act on the whole reply: those of BEFORE in place of the venue, so that nothing happens
there, those of AFTER on the reply of a request that has taken effect. Row kinds act on candles.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tests.exchange.candles import Row, decimal

BEFORE = ("status", "drop", "html", "body", "maintenance")
AFTER = ("cut", "truncate", "drop_after", "status_after", "html_after", "body_after")
TRANSPORT = (*BEFORE, *AFTER, "delay", "twice")


@dataclass
class Fault:
    """One dial. `path` is an end of the path ("kline"), `symbol` exact, both "*" for any.

    `value`: status code, delay in ms, body text, index or number of rows, offset in ms: as the kind needs.
    `times`: how many requests it hits; None for all. `chance`: how likely it hits one that it may hit.
    """

    kind: str
    path: str = "*"
    symbol: str = "*"
    value: Any = None
    retry_after: str | None = None
    times: int | None = None
    chance: float = 1.0

    def meets(self, path: str, symbol: str) -> bool:
        return (self.path == "*" or path.endswith(self.path)) and self.symbol in ("*", symbol)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the dials do to one request: at most one fault before its effect or after it."""

    delay_ms: int = 0
    before: Fault | None = None
    twice: bool = False
    after: Fault | None = None


class FaultPlan:
    """The dials as set now; `random` decides where a dial has a chance."""

    def __init__(self, seed: int = 1) -> None:
        self.faults: list[Fault] = []
        self.random = Random(seed)

    def add(self, **dial: Any) -> Fault:
        fault = Fault(**dial)
        if fault.kind not in (*TRANSPORT, *ROW_KINDS, *REPLY_KINDS):
            raise ValueError(f"unknown fault {fault.kind!r}")
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.faults.clear()

    def take(self, kinds: tuple[str, ...], path: str, symbol: str) -> list[Fault]:
        """Return the dials that hit this request, counting them down."""
        meeting = [f for f in self.faults if f.kind in kinds and f.meets(path, symbol) and f.times != 0]
        hit = [f for f in meeting if f.chance >= 1.0 or self.random.random() < f.chance]
        for fault in hit:
            if fault.times is not None:
                fault.times -= 1
        return hit

    def decide(self, path: str, symbol: str) -> Decision:
        """Return which fault hits this request, and whether before or after its effect."""
        hit = self.take(TRANSPORT, path, symbol)
        spoiling = next((f for f in hit if f.kind in (*BEFORE, *AFTER)), None)
        return Decision(
            delay_ms=sum(int(f.value) for f in hit if f.kind == "delay"),
            before=spoiling if spoiling is not None and spoiling.kind in BEFORE else None,
            twice=any(f.kind == "twice" for f in hit),
            after=spoiling if spoiling is not None and spoiling.kind in AFTER else None,
        )

    def spoil(self, rows: list[Row], step_ms: int, path: str, symbol: str) -> list[Row]:
        """Return candles (oldest first) as the row dials leave them."""
        for fault in self.take(tuple(ROW_KINDS), path, symbol):
            rows = ROW_KINDS[fault.kind]([list(row) for row in rows], step_ms, fault.value)
        return rows

    def described(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.faults]


def _put(column: int, text: str) -> Callable[[list[Row], int, Any], list[Row]]:
    """Write `text` into one cell: of row `value`, by default the newest closed one."""

    def spoil(rows: list[Row], _step_ms: int, value: Any) -> list[Row]:
        rows[-2 if value is None else int(value)][column] = text
        return rows

    return spoil


def _duplicate(rows: list[Row], _step_ms: int, value: Any) -> list[Row]:
    at = 1 if value is None else int(value)
    return [*rows[: at + 1], list(rows[at]), *rows[at + 1 :]]


def _out_of_order(rows: list[Row], _step_ms: int, _value: Any) -> list[Row]:
    rows[1], rows[2] = rows[2], rows[1]
    return rows


def _future(rows: list[Row], step_ms: int, value: Any) -> list[Row]:
    ahead = 1 if value is None else int(value)
    return [*rows, [rows[-1][0] + ahead * step_ms, *rows[-1][1:]]]


def _hole(rows: list[Row], _step_ms: int, value: Any) -> list[Row]:
    at, size = value if value is not None else (len(rows) // 2, 1)
    return rows[:at] + rows[at + size :]


def _stale(rows: list[Row], _step_ms: int, value: Any) -> list[Row]:
    """Drop the newest rows, the forming one included: the venue stopped advancing."""
    return rows[: -(3 if value is None else int(value))]


def _missing_newest(rows: list[Row], _step_ms: int, _value: Any) -> list[Row]:
    return rows[:-2] + rows[-1:]


def _frozen(rows: list[Row], _step_ms: int, value: Any) -> list[Row]:
    """Repeat the last price without volume: what a settled contract publishes."""
    bars = 24 if value is None else int(value)
    still = rows[-bars - 1][4]
    return rows[:-bars] + [[row[0], still, still, still, still, "0"] for row in rows[-bars:]]


def _high_below_low(rows: list[Row], _step_ms: int, _value: Any) -> list[Row]:
    rows[-2][2], rows[-2][3] = rows[-2][3], decimal(float(rows[-2][2]) + 1.0)
    return rows


def _no_rows(_rows: list[Row], _step_ms: int, _value: Any) -> list[Row]:
    return []


def _short_row(rows: list[Row], _step_ms: int, _value: Any) -> list[Row]:
    return [*rows[:-2], rows[-2][:3], rows[-1]]


def _stray(rows: list[Row], step_ms: int, _value: Any) -> list[Row]:
    return [[rows[0][0] - 10 * step_ms, *rows[0][1:]], *rows]


ROW_KINDS: dict[str, Callable[[list[Row], int, Any], list[Row]]] = {
    "empty": _no_rows,
    "stale": _stale,
    "missing_newest": _missing_newest,
    "frozen": _frozen,
    "nan": _put(4, "NaN"),
    "word": _put(4, "n/a"),
    "zero": _put(4, "0"),
    "negative": _put(4, "-1.5"),
    "duplicate": _duplicate,
    "out_of_order": _out_of_order,
    "future": _future,
    "hole": _hole,
    "high_below_low": _high_below_low,
    "short_row": _short_row,
    "stray": _stray,
}
REPLY_KINDS = (
    *("wrong_symbol", "wrong_clock", "refuse", "late"),
    *("unknown_done", "unknown_lost", "overloaded"),  # Binance's: see `BinanceTrading`
)
