"""Subjects of an audit over a real home: what a record might say, with one thing changed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine_alpha.audit.audit import audited
from engine_alpha.audit.checks import Audit, Check
from engine_alpha.audit.parity import Parity
from engine_alpha.audit.record import Record
from engine_alpha.audit.subject import Subject
from engine_alpha.backtest.verify import Tally, Verification
from engine_alpha.backtest.verifying.findings import Finding
from engine_alpha.home import Home
from engine_alpha.kernel.codes import OWN_GATES
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.plans.setup import read_setup
from engine_alpha.step.state import new_state
from tests.makers import HOUR_MS
from tests.unit.loop.runs import START_MS, a_home

SYMBOL = "ETHUSDT"
WEEK_BARS = 168
LAST_MS = START_MS - HOUR_MS


def home_of(path: Path) -> Home:
    """Return a home in which one coin is enabled."""
    return a_home(path, (SYMBOL,))


def newest(**gates: list[Any]) -> dict[str, Any]:
    """Return a last decision all of whose gates passed, but for those given as [passed, seen, limit]."""
    verdicts: list[list[Any]] = [[1, 0.0, 0.0] for _ in OWN_GATES]
    verdicts[OWN_GATES.index("warm")] = [1, 800.0, 513.0]
    verdicts[OWN_GATES.index("data_complete")] = [1, 0.0, 0.02]
    for name, verdict in gates.items():
        verdicts[OWN_GATES.index(name)] = verdict
    return {"close": 2_000.0, "record": {"decision": {"gates": verdicts}}}


def record(home: Home, **changes: Any) -> Record:
    """Return the record of a week on market prices without a fault."""
    setup = read_setup(home)
    asset = next(one for one in setup.registry.assets if one.symbol == SYMBOL)
    good: dict[str, Any] = {
        "account": "paper",
        "simulated": False,
        "state": new_state(asset, setup.plan(asset).rules.asset.start_quote),
        "newest": newest(),
        "decided_ms": tuple(LAST_MS - HOUR_MS * back for back in reversed(range(WEEK_BARS))),
        "first_ms": LAST_MS - 30 * DAY_MS,
    }
    return Record(**{**good, **changes})


def verified(
    exact: int = 100, unpriced: int = 0, unsettled: int = 0, findings: Sequence[Finding] = ()
) -> Parity:
    """Return what deciding a hundred bars again came to."""
    tally = Tally(decisions=100, exact=exact, unpriced=unpriced, unsettled=unsettled)
    found = Verification(
        decisions=100,
        exact=exact,
        unpriced=unpriced,
        unsettled=unsettled,
        undecided=0,
        symbols=(SYMBOL,),
        from_ms=0,
        to_ms=1,
        findings=tuple(findings),
        by_symbol={SYMBOL: tally},
    )
    return Parity(found=found, mend="chloe data download")


def a_finding(cause: str, symbol: str = SYMBOL) -> Finding:
    return Finding(cause=cause, symbols=(symbol,), first_ms=0, last_ms=1, decisions=1)


def trades(rs: Sequence[float | None], from_ms: int = START_MS - 300 * DAY_MS) -> tuple[dict[str, Any], ...]:
    """Return closed trades of these results in R, one a day; a unit of R is ten of the quote currency."""
    return tuple(
        {"r": r, "net_quote": 10.0 * (r or 0.0), "exit_ms": from_ms + place * DAY_MS}
        for place, r in enumerate(rs)
    )


def subject(home: Home, **changes: Any) -> Subject:
    """Return a coin at which all is well, seen half an hour after its last bar closed."""
    good: dict[str, Any] = {
        "setup": read_setup(home),
        "symbol": SYMBOL,
        "stage": "paper",
        "record": changes.get("record") or record(home),
        "parity": verified(),
        "now_ms": START_MS + HOUR_MS // 2,
    }
    return Subject(**{**good, **changes})


def audit_of(home: Home, **changes: Any) -> Audit:
    return audited(subject(home, **changes))


def check_of(audit: Audit, name: str) -> Check:
    """Return the one check of that name."""
    [found] = [check for check in audit.checks if check.name == name]
    return found


def with_record(home: Home, **changes: Any) -> Audit:
    """Return the audit of a record with changes."""
    return audit_of(home, record=replace(record(home), **changes))
