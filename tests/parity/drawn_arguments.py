"""Arguments for kernel functions drawn from their annotations: sane ones, and ones full of edges.

A new field or argument whose numbers mean something (a code, a place in a list) needs a line in WHOLE.
"""

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np

from engine_alpha.backtest.words import SHAPES
from engine_alpha.domain.bars import Funding
from engine_alpha.kernel.indicators import indicators_of
from engine_alpha.kernel.signals import SIGNALS, readable
from engine_alpha.kernel.values import Card, Condition, Indicators, Tally, Tier
from tests.compiled import kinds_of
from tests.makers import random_bars
from tests.unit.kernel.scenes import eight_hourly

HOUR_MS = 3_600_000
CARDS, CONDITIONS, TIERS, MINUTES, CALIBRATED, TAIL = 3, 5, 4, 5, 4, 120
NAN, INF = float("nan"), float("inf")
EDGES = (0.0, -0.0, NAN, INF, -INF, 5e-324, -5e-324, 1e-300, 1e300, 1.0, -1.0, 2.0**53 + 2.0)
EDGE_SHARE = 0.12

HOURS = tuple(hour * HOUR_MS for hour in range(0, 240, 5))
FLAG, SIDE, NUMBER, SMALL = (0, 1), (-1, 0, 1), tuple(range(-1, 40)), tuple(range(12))
WHOLE: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("side", "direction"), SIDE),
    **dict.fromkeys(("card", "position_card"), (0, 1, 2)),
    **dict.fromkeys(("listed", "enabled", "flatten", "halted", "funding_unknown", "unknown"), FLAG),
    **dict.fromkeys(("ambiguous", "passed", "opposite", "drawdown_halted", "same_bucket"), FLAG),
    **dict.fromkeys(("may_take", "dropped", "directional", "own_direction"), FLAG),
    **dict.fromkeys(("open_ms", "close_ms", "entry_ms", "exit_ms", "at_ms"), HOURS),
    **dict.fromkeys(("number", "index", "entry_index", "decided_index", "last_index"), NUMBER),
    **dict.fromkeys(("last_exit_index",), NUMBER),
    **dict.fromkeys(("reason", "exit_reason", "exit_due"), tuple(range(9))),
    **dict.fromkeys(("entry_first", "entry_end", "exit_first", "exit_end", "first", "end"), tuple(range(6))),
    **dict.fromkeys(("trades", "min_trades", "pf_min_trades", "losses_in_row", "cluster_losses"), SMALL),
    **dict.fromkeys(("bars_held", "held_bars", "max_hold_bars", "cooldown_bars"), SMALL),
    **dict.fromkeys(("cluster_pause_bars", "recent_gap_bars", "funding_unknown_bars"), SMALL),
    **dict.fromkeys(("entries_today", "trades_per_day", "positions", "max_positions", "late"), (0, 1, 2, 3)),
    **dict.fromkeys(("place", "bucket", "priority", "day"), SMALL),
    "regime": (0, 1, 2, 3),
    "regimes": tuple(range(16)),
    "regimes_allowed": tuple(range(16)),
    "directions": (0, 1, 2, 3),
    "status": (0, 1, 2),
    "compare": (1, -1, 2, -2),
    "signal": tuple(range(len(SIGNALS))),
    "action": (0, 1, 2),
    "timeframe_ms": (HOUR_MS, 4 * HOUR_MS),
    "window_bars": (1, 512, 513, 960),
    "span": (24, 48, 72, 168, 240, 336),
    "at": (*range(-1, 3), *range(90, TAIL)),
}
"""What an int of this name may be."""
STEPS = (0.1, 0.01, 0.001, 1e-5, 0.5, 0.25, 1.0, 10.0)
FLOATS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("tick_quote", "lot_base"), STEPS),
    "step": (*STEPS, 0.0),
    **dict.fromkeys(("ticks_per_unit", "lots_per_unit", "steps_per_unit"), (0.0, 1.0, 2.0, 10.0, 100.0)),
    "max_leverage": (1.0, 2.0, 3.0, 100.0),
    "sign": (1.0, -1.0),
}
"""What a float of this name may be, in sane and in edgy draws alike: configuration allows nothing else."""
NEAR_EACH_OTHER = tuple(95.0 + 0.5 * step for step in range(21))
LENGTHS = {"cards": (Card, CARDS), "conditions": (Condition, CONDITIONS), "tallies": (Tally, CARDS)}
WINDOWS = (2, 30, 130, 500, 700)


class Draw:
    """A seeded source of arguments."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._edgy = False
        self._window: Indicators | None = None

    def arguments(self, function: Callable[..., Any], edgy: bool) -> dict[str, Any]:
        """Return arguments of a function by name; if `edgy`, with zeros, infinities and NaN among them."""
        self._edgy, self._window = edgy, None
        return {name: self.value(name, kind) for name, kind in kinds_of(function).items()}

    def value(self, name: str, kind: Any) -> Any:
        """Return one argument or field."""
        if kind is int:
            return self._whole(name)
        if kind is float:
            return self._float(name)
        if kind is Indicators:
            return self._indicators()
        if kind is Any:
            return self._list(name)
        shapes = {field: SHAPES.get((kind, field), hint) for field, hint in get_type_hints(kind).items()}
        return kind(*(self._parts(field, shape) for field, shape in shapes.items()))

    def _parts(self, name: str, shape: Any) -> Any:
        inner = get_args(shape)
        return tuple(self.value(name, kind) for kind in inner) if inner else self.value(name, shape)

    def _one(self, values: Any) -> Any:
        return values[int(self._random.integers(len(values)))]

    def _whole(self, name: str) -> int:
        if name == "t":  # a bar of the window, drawn before; without one, of a column
            rows = TAIL if self._window is None else len(self._window.close)
            return int(self._random.integers(rows))
        assert name in WHOLE, f"say in WHOLE what the int {name!r} may be"
        return int(self._one(WHOLE[name]))

    def _float(self, name: str) -> float:
        if name in FLOATS:
            return float(self._one(FLOATS[name]))
        if self._edgy and self._random.random() < EDGE_SHARE:
            return float(self._one(EDGES))
        if name.endswith(("_frac", "efficiency", "spread", "score")):
            return round(float(self._random.uniform(-1.0, 1.0)), 3)
        if (
            name.endswith(("open", "high", "low", "close", "price", "top", "bottom"))
            or self._random.random() < 0.5
        ):
            return float(self._one(NEAR_EACH_OTHER))
        return float(self._random.normal() * self._one((0.01, 1.0, 100.0, 10_000.0)))

    def _floats(self, count: int, scale: float) -> list[float]:
        drawn = (self._random.normal(size=count) * scale).tolist()
        if self._edgy:
            return [float(self._one(EDGES)) if self._random.random() < EDGE_SHARE else one for one in drawn]
        return list(drawn)

    def _list(self, name: str) -> Any:
        if name in LENGTHS:
            kind, length = LENGTHS[name]
            return tuple(self.value("", kind) for _ in range(length))
        if name == "tiers":
            return tuple(
                Tier(floor, *self._floats(2, 0.01)) for floor in (0.0, 50.0, 1_000.0, 50_000.0)[:TIERS]
            )
        if name == "weights":
            return tuple(tuple(abs(weight) for weight in self._floats(5, 1.0)) for _ in range(4))
        if name == "calibration":
            rows = int(self._one((0, 1, CALIBRATED)))
            strengths = sorted(abs(each) for each in self._floats(rows, 0.5))
            return tuple(zip(strengths, sorted(self._floats(rows, 0.5)), strict=True))
        if name == "minutes":
            rows = int(self._one((0, 1, MINUTES)))
            return tuple(tuple(self._float("price") for _ in range(4)) for _ in range(rows))
        lengths = {"row": len(SIGNALS), "before": len(SIGNALS)}
        assert name in (*lengths, "trend", "volatility", "column"), f"say what the list {name!r} holds"
        values = self._floats(lengths.get(name, TAIL), 0.7)
        return tuple(values) if name in lengths else values

    def _indicators(self) -> Indicators:
        """Return the indicators of a generated window, some of their values made into edges."""
        bars = random_bars(int(self._one(WINDOWS)), seed=int(self._random.integers(1_000)))
        funding = eight_hourly(bars) if self._random.random() < 0.7 else Funding()
        known = indicators_of(bars, funding)
        if self._edgy:
            columns = [np.array(column) for column in known[1:]]
            for column in columns:
                if column.dtype == np.float64:
                    struck = self._random.random(len(column)) < EDGE_SHARE
                    column[struck] = self._random.choice(EDGES, int(struck.sum()))
            known = Indicators(known.unit, *columns)
        self._window = known
        return readable(known)
