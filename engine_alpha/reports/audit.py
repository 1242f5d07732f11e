"""Audits for people: one asset check by check, several a row each."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, count

View = Mapping[str, Any]

WIDTH = 118
_SEEN = 76
_SIGNS = {"passed": "ok", "failed": "FAILED", "unknown": "unknown"}


def checks_table(audit: View) -> Table:
    """Return every check of one asset, long sights cut: JSON has them whole."""
    return Table(
        columns=columns("part", "check", "result", "seen", "limit"),
        rows=tuple(
            (check["group"], check["name"], _result(check), _cut(check["seen"]), check["limit"] or NOTHING)
            for check in audit["checks"]
        ),
        title=f"{audit['symbol']}: {headline(audit)}",
    )


def _result(check: View) -> str:
    return _SIGNS[check["status"]] if check["counts"] else "(told)" if check["status"] != "passed" else "ok"


def _cut(text: str) -> str:
    return text if len(text) <= _SEEN else text[: _SEEN - 1].rstrip() + "…"


def headline(audit: View) -> str:
    """Return stage, safety and evidence in one line."""
    short = [check for check in shortfalls(audit) if check["part"] == "safety"]
    safety = "green" if not short else f"not green, {count(len(short), 'shortfall')}"
    where = f"{audit['stage']} in account {audit['account']}"
    where += " (SIMULATED PRICES)" if audit["simulated"] else ""
    return f"{where} · safety {safety} · evidence {evidence_words(audit)}"


def evidence_words(audit: View) -> str:
    """Return "unproven, about 329 more trades"."""
    needed = audit["trades_needed"]
    if audit["verdict"] != "unproven" or needed is None:
        return str(audit["verdict"])
    return f"unproven, about {needed:,} more trades"


def shortfalls(audit: View) -> list[View]:
    """Return the checks that keep an audit from being green."""
    return [check for check in audit["checks"] if check["counts"] and check["status"] != "passed"]


def mending_lines(audit: View) -> list[str]:
    """Return each shortfall in full with the command that mends it."""
    lines: list[str] = []
    for check in shortfalls(audit):
        lines += wrap(f"{check['group']}, {check['name']}: {check['seen']}", WIDTH, subsequent_indent="  ")
        lines += wrap(f"  → {check['mend']}" if check["mend"] else "", WIDTH, subsequent_indent="    ")
    return lines


def audits_table(audits: Sequence[View]) -> Table:
    """Return one row per asset."""
    return Table(
        columns=columns("asset", "stage", "safety", "PF", "evidence", "first to mend"),
        rows=tuple(_row(audit) for audit in audits),
    )


def _row(audit: View) -> tuple[str, ...]:
    short = [check for check in shortfalls(audit) if check["part"] == "safety"]
    first = shortfalls(audit)
    return (
        audit["symbol"],
        audit["stage"],
        "green" if not short else count(len(short), "shortfall"),
        audit["evidence"]["pf_words"],
        evidence_words(audit),
        f"{first[0]['group']}, {first[0]['name']}" if first else NOTHING,
    )
