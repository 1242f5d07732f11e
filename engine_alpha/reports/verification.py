"""What a verification found, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.table import Table, columns, pairs
from engine_alpha.reports.words import NOTHING, UNKNOWN, count, number
from engine_alpha.times import minute

View = Mapping[str, Any]

BAR_CAUSES = "bar_"
SHOWN = 40

_MEANINGS = {
    "bar_revised": "stored otherwise now than a decision saw it",
    "bar_late": "stored now; decisions after it were made without it",
    "bar_missing_now": "a decision saw it; it is not stored now",
    "bar_missing_then": "stored now; the journal says that it had no decision",
    "minutes_differ": "the minutes inside a bar are others now",
    "funding_differs": "settlements are others now than a decision saw them",
    "config_changed": "a file says otherwise now than it did for these decisions",
    "cards_changed": "a strategy card says otherwise now than it did for these decisions",
    "parameters_changed": "adopted parameters say otherwise now than they did for these decisions",
    "engine_version": "another version of Chloe decided then, and this one decides otherwise",
    "fill_differs": "recorded otherwise than the bars give it",
    "signals_differ": "other signals from equal bars: a bug in Chloe, or a changed record",
    "decision_differs": "another decision from equal signals: a bug in Chloe, or a changed record",
    "state_differs": "the state after it does not follow: a bug in Chloe, or a changed record",
}


def headline(found: View, against: str) -> str:
    """Return what was verified against what."""
    assets = count(len(found["symbols"]), "asset")
    span = f"{minute(found['from_ms'])} to {minute(found['to_ms'])}"
    return f"{count(found['decisions'], 'decision')} of {assets}, {span}, against {against}"


def verdict(found: View) -> str:
    """Return the answer in one line."""
    differences = count(len(found["findings"]), "difference")
    if found["findings"]:
        return f"{differences}:"
    return f"{differences}: every decision came out byte for byte"


def findings_table(findings: Sequence[View]) -> Table:
    """Return one row per difference, the first ones."""
    return Table(
        columns=columns("cause", "asset", "what", ">decisions", ">other now", "then → now"),
        rows=tuple(_row(one) for one in findings[:SHOWN]),
    )


def _row(one: View) -> tuple[str, ...]:
    different = UNKNOWN if one["different"] is None else f"{one['different']:,}"
    return (
        one["cause"].replace("_", " "),
        _assets(one["symbols"]),
        what(one),
        f"{one['decisions']:,}",
        different if one["decisions"] else NOTHING,
        "; ".join([*(change_words(change) for change in one["changes"]), *filter(None, [one["detail"]])]),
    )


def _assets(symbols: Sequence[str]) -> str:
    return ", ".join(symbols) if len(symbols) <= 2 else f"{symbols[0]} and {len(symbols) - 1} more"


def what(one: View) -> str:
    """Return which bar, fill, file or card it is about."""
    first, last = minute(one["first_ms"]), minute(one["last_ms"])
    bars = first if first == last else f"{first} to {last}"
    if one["cause"].startswith(BAR_CAUSES):
        return f"{bars} ({one['subject']})" if one["subject"] else bars
    if one["cause"].endswith("_changed") or one["cause"] == "engine_version":
        return one["subject"] or NOTHING
    return f"{bars}, {one['subject']}" if one["subject"] else bars


def change_words(change: View) -> str:
    """Return "max_hold_bars 6 → 7"."""
    return f"{change['key']} {_value(change['then'])} → {_value(change['now'])}"


def _value(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return number(value, 10)
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "none"
    return str(value)


def meaning_lines(findings: Sequence[View]) -> list[str]:
    """Return what each cause that occurs means."""
    causes = dict.fromkeys(one["cause"] for one in findings)
    return pairs([(cause.replace("_", " "), _MEANINGS[cause]) for cause in causes])


def rest_lines(found: View) -> list[str]:
    """Return what could not be compared, and how many differences a table left out."""
    lines = []
    if len(found["findings"]) > SHOWN:
        lines.append(f"{len(found['findings']) - SHOWN:,} more differences; all of them with --json")
    if found["unpriced"]:
        lines.append(f"{count(found['unpriced'], 'decision')} without a stored bar: not decided again")
    if found["unsettled"]:
        lines.append(
            f"{count(found['unsettled'], 'decision')} on settings nobody can tell in full any more:"
            " only their bars were compared"
        )
    if found["undecided"]:
        lines.append(f"{count(found['undecided'], 'bar')} without a decision, by the journal")
    return lines
