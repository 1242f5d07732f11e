"""What an audit consists of: checks with what was seen, the limit, and the command that mends a shortfall."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

PASSED: Final = "passed"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"

SAFETY: Final = "safety"
EVIDENCE: Final = "evidence"

CONFIG, INSTRUMENT, DATA, ERRORS, PARITY, DRAWDOWN, REAL, TRADES = (
    "config",
    "instrument",
    "data",
    "errors",
    "parity",
    "drawdown",
    "for live",
    "evidence",
)
"""Groups of checks; all but the last are of the safety part."""

PROOF = "proof"  # the check whose verdict real money asks for

PROVEN, UNPROVEN, AGAINST = "proven", "unproven", "against"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at an asset. `mend` is the command that mends it; one that does not count is only told."""

    group: str
    name: str
    status: str
    seen: str
    limit: str = ""
    mend: str = ""
    counts: bool = True

    @property
    def part(self) -> str:
        """Name the part of the audit that it belongs to."""
        return EVIDENCE if self.group == TRADES else SAFETY

    @property
    def is_shortfall(self) -> bool:
        """Say whether it keeps the audit from being green."""
        return self.counts and self.status != PASSED

    @property
    def sentence(self) -> str:
        """Return what was seen in one line, for a person who asks for real orders."""
        words = f"{self.group}, {self.name}: {self.seen}"
        words += f" (limit {self.limit})" if self.limit else ""
        return f"{words}: {self.mend}" if self.mend else words


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All checks of one asset, what its trades say (`verdict`), and the numbers behind that.

    `account` has the record that was looked at; `simulated` says that no market made its prices.
    """

    symbol: str
    account: str
    simulated: bool
    stage: str
    checks: tuple[Check, ...]
    verdict: str
    trades_needed: int | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shortfalls(self) -> tuple[Check, ...]:
        """Return what keeps it from being green."""
        return tuple(check for check in self.checks if check.is_shortfall)

    @property
    def is_safe(self) -> bool:
        """Say whether the safety part is green."""
        return not any(check.part == SAFETY for check in self.shortfalls)

    @property
    def is_green(self) -> bool:
        """Say whether nothing is short."""
        return not self.shortfalls

    def fields(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "symbol": self.symbol,
            "account": self.account,
            "simulated": self.simulated,
            "stage": self.stage,
            "green": self.is_green,
            "safe": self.is_safe,
            "verdict": self.verdict,
            "trades_needed": self.trades_needed,
            "evidence": dict(self.numbers),
            "checks": [{"part": check.part, **asdict(check)} for check in self.checks],
        }


def judged(passed: bool | None, good: Check) -> Check:
    """Return the check with its verdict: None is unknown; one that passed needs no mending."""
    status = UNKNOWN if passed is None else PASSED if passed else FAILED
    mend = "" if status == PASSED else good.mend
    return Check(
        group=good.group,
        name=good.name,
        status=status,
        seen=good.seen,
        limit=good.limit,
        mend=mend,
        counts=good.counts,
    )
