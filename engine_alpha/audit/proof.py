"""The evidence part: what an asset's trades prove, and whether they have turned."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine_alpha.audit.checks import AGAINST, PROOF, PROVEN, TRADES, UNPROVEN, Check, judged
from engine_alpha.audit.subject import Subject
from engine_alpha.config.risk import EvidenceConfig, evidence_terms
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.evidence import ADVICES, KEEP, REASONS, VERDICTS, Evidence, evidence_of
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.reports.words import count, factor, factor_fields, interval, number
from engine_alpha.research.pages.nights import kept_nights, read_night

Trade = Mapping[str, Any]


def proof_of(subject: Subject) -> Evidence:
    """Return what the asset's trades say; those since it was armed are watched for a turn."""
    trades = [trade for trade in subject.trades if trade["r"] is not None]
    before = sum(1 for trade in trades if trade["exit_ms"] < subject.watched_from_ms)
    return evidence_of(
        [float(trade["r"]) for trade in trades],
        evidence_terms(subject.setup.risk),
        [int(trade["exit_ms"]) // DAY_MS for trade in trades],
        before,
    )


def verdict_of(found: Evidence) -> str:
    """Return proven, unproven or against."""
    return VERDICTS[found.verdict]


def evidence_checks(subject: Subject, found: Evidence) -> Iterator[Check]:
    """Yield all checks of the evidence part."""
    wanted = subject.setup.risk.evidence
    yield _profit_factor(subject.trades)
    yield _proof(subject, found, wanted)
    yield _turn(subject, found, wanted)
    yield _research(subject)


def _research(subject: Subject) -> Check:
    """Tell what the last night of research said of the coin; it proposes, trades prove."""
    reports, symbol = subject.setup.home.reports, subject.symbol
    if not kept_nights(reports):
        return judged(None, _check("research", "none yet", "chloe research run", counts=False))
    try:
        night = read_night(reports)
        found = night.asset(symbol)
    except ConfigError as fault:
        return judged(None, _check("research", str(fault), "chloe research run", counts=False))
    seen = f"{night.night}: {found['words']}"
    mend = f"chloe research show {symbol}"
    return judged(bool(found["passes"]) or None, _check("research", seen, mend, counts=False))


def numbers_of(subject: Subject, found: Evidence) -> dict[str, Any]:
    """Return the numbers behind the verdict, as JSON has them."""
    fields = found._asdict()
    return {
        **fields,
        "verdict": verdict_of(found),
        "reason": REASONS[found.reason],
        "advice": ADVICES[found.advice],
        "advice_reason": REASONS[found.advice_reason],
        "needed_e": 1.0 / subject.setup.risk.evidence.alpha,
        "pf": factor_fields(_factor(subject.trades)),
        "pf_words": factor(_factor(subject.trades)),
    }


def _factor(trades: Sequence[Trade]) -> ProfitFactor:
    return profit_factor([float(trade["net_quote"]) for trade in trades])


def _profit_factor(trades: Sequence[Trade]) -> Check:
    """Tell the profit factor; a number of so few trades decides nothing by itself."""
    found = _factor(trades)
    seen = factor(found)
    passed: bool | None = None
    if found.low is not None and found.high is not None:
        seen += f", 95 % {interval(found)}"
        passed = True if found.low > 1.0 else False if found.high < 1.0 else None
    return judged(passed, _check("profit factor", seen, "chloe pf", limit="> 1", counts=False))


def _proof(subject: Subject, found: Evidence, wanted: EvidenceConfig) -> Check:
    verdict, symbol = verdict_of(found), subject.symbol
    seen = f"{verdict}: e-value {number(found.e_value, 3)} in {count(found.trades, 'trade')}"
    limit = f"e-value {number(1.0 / wanted.alpha, 3)}"
    if verdict == PROVEN:
        return judged(True, _check(PROOF, seen, "", limit))
    if verdict == AGAINST:
        mend = f"chloe pf --by card; change its cards, or chloe assets disable {symbol}"
        return judged(False, _check(PROOF, seen, mend, limit))
    seen += needed_words(found)
    mend = f"chloe run, and wait; sooner, smaller: chloe live arm {symbol} --unproven"
    return judged(None, _check(PROOF, seen, mend, limit, counts=subject.for_live))


def needed_words(found: Evidence) -> str:
    """Return how many trades are still needed, as the end of a sentence."""
    if verdict_of(found) != UNPROVEN:
        return ""
    if found.trades_needed is None:
        return "; with these trades behind it, it can't be proven any more"
    return f", about {found.trades_needed:,} more at the design mean"


def _turn(subject: Subject, found: Evidence, wanted: EvidenceConfig) -> Check:
    """Tell whether the trades, since the asset was armed where it is, have turned against it."""
    armed = subject.watched_from_ms > 0
    seen = f"detector {number(found.drift, 3)} in {count(found.watched_trades, 'trade')}"
    seen += " since it was armed" if armed else ""
    seen += f"; {found.drawdown_r:.1f} R below the best, {found.day_r:+.1f} R on the last day"
    if found.advice != KEEP:
        seen = f"{ADVICES[found.advice]}: {REASONS[found.advice_reason]}; {seen}"
    limit = (
        f"< {number(wanted.halve_after, 3)} half, {number(wanted.paper_after, 3)} paper; "
        f"{number(wanted.drawdown_limit_r, 3)} R, {number(wanted.daily_loss_limit_r, 3)} R a day"
    )
    mend = f"chloe pf --by card; to begin again, as a person: chloe live arm {subject.symbol}"
    return judged(found.advice == KEEP, _check("turn", seen, mend, limit, counts=armed))


def _check(name: str, seen: str, mend: str, limit: str = "", counts: bool = True) -> Check:
    return Check(group=TRADES, name=name, status="", seen=seen, limit=limit, mend=mend, counts=counts)
