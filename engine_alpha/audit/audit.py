"""One asset's audit, put together."""

from engine_alpha.audit.checks import Audit
from engine_alpha.audit.proof import evidence_checks, numbers_of, proof_of, verdict_of
from engine_alpha.audit.safety import safety_checks
from engine_alpha.audit.subject import Subject


def audited(subject: Subject) -> Audit:
    """Return all checks of an asset and the verdict on its trades."""
    found = proof_of(subject)
    return Audit(
        symbol=subject.symbol,
        account=subject.record.account,
        simulated=subject.record.simulated,
        stage=subject.stage,
        checks=(*safety_checks(subject), *evidence_checks(subject, found)),
        verdict=verdict_of(found),
        trades_needed=found.trades_needed,
        numbers=numbers_of(subject, found),
    )
