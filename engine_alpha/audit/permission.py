"""Whether an audited asset may send real orders, at which size, and what a person has to hear before."""

from dataclasses import dataclass

from engine_alpha.audit.checks import (
    AGAINST,
    CONFIG,
    DATA,
    FAILED,
    INSTRUMENT,
    PROOF,
    PROVEN,
    SAFETY,
    Audit,
)
from engine_alpha.loop.arming import FULL_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for: `real` money or play money, `unproven` at this size."""

    real: bool
    unproven: bool
    unproven_size_factor: float
    simulated: bool  # whether the audited record is of simulated prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What becomes of it: refused for these sentences, else allowed at this size after these warnings."""

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    size_factor: float


def permission(audit: Audit, wish: Wish) -> Permission:
    """Judge a wish by an audit.

    Real money needs the whole safety part and proof; without proof it is traded smaller, with trades against
    it not at all. Play money may be tried out: only what can't work there is refused (docs/decisions/0016).
    """
    if wish.real:
        refusals = _safety_refusals(audit) + _evidence_refusals(audit, wish)
        warnings: tuple[str, ...] = ()
    else:
        refusals, warnings = _play_refusals(audit, wish), _play_warnings(audit)
    smaller = wish.unproven and not (wish.real and audit.verdict == PROVEN)
    size_factor = wish.unproven_size_factor if smaller else FULL_SIZE
    return Permission(refusals=refusals, warnings=warnings, size_factor=size_factor)


def _safety_refusals(audit: Audit) -> tuple[str, ...]:
    return tuple(check.sentence for check in audit.shortfalls if check.part == SAFETY)


def _evidence_refusals(audit: Audit, wish: Wish) -> tuple[str, ...]:
    if audit.verdict == PROVEN or (wish.unproven and audit.verdict != AGAINST):
        return ()
    return tuple(check.sentence for check in audit.checks if check.name == PROOF)


def _play_refusals(audit: Audit, wish: Wish) -> tuple[str, ...]:
    """Return what can't work with play money either; simulated bars say nothing of a venue's."""
    groups = (CONFIG, INSTRUMENT) if wish.simulated else (CONFIG, INSTRUMENT, DATA)
    broken = [check for check in audit.shortfalls if check.group in groups and check.status == FAILED]
    return tuple(check.sentence for check in broken)


def _play_warnings(audit: Audit) -> tuple[str, ...]:
    if audit.is_green:
        return ()
    short = len(audit.shortfalls)
    words = "one thing is" if short == 1 else f"{short} things are"
    return (
        f"for real money {words} missing, the evidence is {audit.verdict}: "
        f"chloe audit {audit.symbol} --for-live",
    )
