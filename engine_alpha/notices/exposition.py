"""Figures in Prometheus' text format 0.0.4, by hand: its client library would cost the live process 4 MiB."""

import threading
from collections.abc import Iterable, Sequence

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]


class Family:
    """One metric with its values by label; kept by one thread, shown by others under `lock`."""

    def __init__(self, kind: str, name: str, explained: str, labels: Sequence[str] = ()) -> None:
        self.name, self.labels = name, tuple(labels)
        self.lock = threading.Lock()
        self._head = f"# HELP {name} {_escaped(explained)}\n# TYPE {name} {kind}\n"
        self._values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1.0) -> None:
        """Count on."""
        with self.lock:
            self._values[labels] = self._values.get(labels, 0.0) + amount

    def set(self, labels: Labels, value: float) -> None:
        """Say what it is now."""
        with self.lock:
            self._values[labels] = value

    def replace(self, first: str, values: Iterable[tuple[Labels, float]]) -> None:
        """Put these in the place of all whose first label is `first`: what is gone must not linger."""
        fresh = dict(values)
        with self.lock:
            kept = {labels: value for labels, value in self._values.items() if labels[0] != first}
            self._values = {**kept, **fresh}

    def text(self) -> str:
        """Return the metric as Prometheus reads it; "" while there is no value."""
        with self.lock:
            values = list(self._values.items())
        lines = [
            f"{self.name}{_labelled(self.labels, labels)} {_number(value)}\n" for labels, value in values
        ]
        return self._head + "".join(lines) if lines else ""


class Histogram:
    """How often a duration was at most so long, by label."""

    def __init__(self, name: str, explained: str, labels: Sequence[str], bounds_s: Sequence[float]) -> None:
        self.name, self.labels, self.bounds_s = name, tuple(labels), tuple(bounds_s)
        self.lock = threading.Lock()
        self._head = f"# HELP {name} {_escaped(explained)}\n# TYPE {name} {HISTOGRAM}\n"
        self._counts: dict[Labels, list[int]] = {}  # per bound, then all
        self._sums: dict[Labels, float] = {}

    def observe(self, labels: Labels, seconds: float) -> None:
        """Take in one duration."""
        with self.lock:
            counts = self._counts.setdefault(labels, [0] * (len(self.bounds_s) + 1))
            for place, bound in enumerate(self.bounds_s):
                counts[place] += int(seconds <= bound)
            counts[-1] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def text(self) -> str:
        """Return the metric as Prometheus reads it; "" while there is no value."""
        with self.lock:
            found = [(labels, list(counts), self._sums[labels]) for labels, counts in self._counts.items()]
        return self._head + "".join(self._lines(*one) for one in found) if found else ""

    def _lines(self, labels: Labels, counts: list[int], total: float) -> str:
        bounds = [_number(bound) for bound in self.bounds_s] + ["+Inf"]
        lines = [
            f"{self.name}_bucket{_labelled((*self.labels, 'le'), (*labels, bound))} {count}\n"
            for bound, count in zip(bounds, counts, strict=True)
        ]
        own = _labelled(self.labels, labels)
        return "".join(
            [*lines, f"{self.name}_sum{own} {_number(total)}\n{self.name}_count{own} {counts[-1]}\n"]
        )


def _labelled(names: Labels, values: Labels) -> str:
    inside = ",".join(f'{name}="{_quoted(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{inside}}}" if inside else ""


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')


def _escaped(value: str) -> str:
    return value.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return f"{int(value)}" if value == int(value) and abs(value) < 1e15 else repr(float(value))
