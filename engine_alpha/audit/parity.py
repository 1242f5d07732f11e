"""Whether the record re-decides to what it says: what `chloe verify` found, asset by asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine_alpha.audit.checks import PARITY, Check, judged
from engine_alpha.reports.words import count

if TYPE_CHECKING:  # an audit works without the backtest extra, too
    from engine_alpha.backtest.verify import Verification
    from engine_alpha.backtest.verifying.findings import Finding

OTHER_VERSION = "engine_version"
OF_PEOPLE = ("config_changed", "cards_changed", "parameters_changed", OTHER_VERSION)
"""Causes that somebody made on purpose: the record stands, on the settings of its time."""

NOT_STORED = "bar_missing_now"

MOST_UNVERIFIED_FRAC = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What deciding again came to; without `found`, `why_not` says why and `mend` what makes it possible."""

    found: Verification | None = None
    why_not: str = ""
    mend: str = ""


def parity_check(symbol: str, parity: Parity, account: str) -> Check:
    """Return the check of one asset."""
    if parity.found is None:
        return judged(None, _check(f"not verifiable: {parity.why_not}", parity.mend))
    counts = parity.found.by_symbol.get(symbol)
    if counts is None or counts.decisions == 0:
        return judged(None, _check("no decision to verify yet", "chloe run, and let it decide some bars"))
    own = [each for each in parity.found.findings if symbol in each.symbols]
    broken = [each for each in own if each.cause not in (*OF_PEOPLE, NOT_STORED)]
    decided = count(counts.decisions, "decision")
    seen = f"{counts.exact:,} of {decided} decided again to the same bytes"
    if broken:
        return judged(False, _check(f"{seen}; {_words(broken)}", f"chloe verify --account {account}"))
    allowed = MOST_UNVERIFIED_FRAC * counts.decisions
    if counts.unpriced > allowed:
        told = f"not verifiable: no stored bars for {counts.unpriced:,} of {decided}"
        return judged(None, _check(told, parity.mend))
    if counts.decisions - counts.unpriced - counts.exact > allowed:
        return judged(None, _check(f"{seen}; the others: {_why_not(own)}", _mended_by(own, parity)))
    return judged(True, _check(seen, ""))


def _why_not(own: Sequence[Finding]) -> str:
    """Say why decisions whose bars are stored were not the same to the byte, though nothing is broken."""
    causes = {each.cause for each in own}
    if NOT_STORED in causes:
        return "bars before them are not stored any more"
    if OTHER_VERSION in causes:
        return "another version of the engine made them"
    return "on settings that nobody can tell any more"


def _mended_by(own: Sequence[Finding], parity: Parity) -> str:
    stored = all(each.cause != NOT_STORED for each in own)
    return "chloe run, and let it decide some bars" if stored else parity.mend


def _check(seen: str, mend: str) -> Check:
    return Check(group=PARITY, name="verify", status="", seen=seen, limit="no difference", mend=mend)


def _words(findings: Sequence[Finding]) -> str:
    causes = dict.fromkeys(each.cause.replace("_", " ") for each in findings)
    return f"{count(len(findings), 'difference')}: {', '.join(causes)}"
