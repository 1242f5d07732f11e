"""What `chloe doctor` saw: one line per check, and below it what to do about it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

from engine_alpha.reports.words import count

Level = Literal["ok", "warn", "fail"]
OK: Level = "ok"
WARN: Level = "warn"
FAIL: Level = "fail"

WIDTH = 116
_MARKS: dict[Level, str] = {OK: "✓", WARN: "!", FAIL: "✗"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `remedy` is what to do, "" where nothing is."""

    name: str
    level: Level
    seen: str
    remedy: str = ""


def judged(name: str, worst: Level, faults: Sequence[str], well: str, remedy: str = "") -> Check:
    """Return a check that is well without faults, and at the given level with some."""
    if not faults:
        return Check(name=name, level=OK, seen=well)
    return Check(name=name, level=worst, seen="; ".join(faults), remedy=remedy)


def worst_level(checks: Iterable[Check]) -> Level:
    """Return the worst level there is."""
    levels = {check.level for check in checks}
    return FAIL if FAIL in levels else WARN if WARN in levels else OK


def check_lines(checks: Sequence[Check]) -> list[str]:
    """Return all checks as lines, and one that sums them up."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        head = f"{_MARKS[check.level]} {check.name.ljust(width)}  "
        indent = " " * len(head)
        lines += _wrapped(check.seen, head, indent)
        if check.remedy:
            lines += _wrapped(f"→ {check.remedy}", indent, f"{indent}  ")
    return [*lines, "", summary(checks)]


def _wrapped(text: str, first: str, later: str) -> list[str]:
    """Wrap without breaking paths and commands, which somebody will copy."""
    return wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(checks: Sequence[Check]) -> str:
    """Return how many checks came out how."""
    levels = Counter(check.level for check in checks)
    if levels[OK] == len(checks):
        return f"all is well: {count(len(checks), 'check')}"
    parts = [f"{count(levels[FAIL], 'fault')}"] if levels[FAIL] else []
    parts += [f"{count(levels[WARN], 'warning')}"] if levels[WARN] else []
    return f"{', '.join(parts)}; {levels[OK]} of {count(len(checks), 'check')} are well"
