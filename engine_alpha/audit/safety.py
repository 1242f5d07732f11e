"""The safety part: may this asset be stepped without surprises? Files, contract, bars, faults, money."""

from collections.abc import Iterator
from statistics import median

from engine_alpha.audit.checks import CONFIG, DATA, DRAWDOWN, ERRORS, INSTRUMENT, REAL, Check, judged
from engine_alpha.audit.parity import parity_check
from engine_alpha.audit.record import SPAN_MS, frame_ms_of
from engine_alpha.audit.subject import Subject
from engine_alpha.config.instruments import listing_fault
from engine_alpha.domain.lookback import MIN_BARS
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import ACTIVE, OWN_GATES, SHADOW
from engine_alpha.kernel.money import DAY_MS, equity_quote
from engine_alpha.kernel.sizing import drawdown_frac
from engine_alpha.reports.words import count, held, money, number, percent
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.state import rebased
from engine_alpha.times import minute

RECORD_MS = 7 * DAY_MS
"""How long an asset is on paper, at the least, before its orders may be real."""

_COMPLETE, _WARM = OWN_GATES.index("data_complete"), OWN_GATES.index("warm")


def safety_checks(subject: Subject) -> Iterator[Check]:
    """Yield all checks of the safety part."""
    plan = subject.plan()
    yield from _config(subject, plan)
    if isinstance(plan, AssetPlan):
        yield from _instrument(subject, plan)
    yield from _data(subject)
    yield _errors(subject)
    yield parity_check(subject.symbol, subject.parity, subject.record.account)
    yield _drawdown(subject, plan)
    if subject.for_live:
        yield from _for_live(subject)


def _config(subject: Subject, plan: AssetPlan | ConfigError) -> Iterator[Check]:
    symbol, home, asset = subject.symbol, subject.setup.home, subject.asset
    faults = [str(fault) for fault in subject.setup.registry.faults if fault.symbol == symbol]
    enabled = asset is not None and asset.enabled
    words = "; ".join(faults) or f"{symbol} is {'enabled' if enabled else 'disabled'}"
    mend = f"edit {home.registry}, then: chloe assets list" if faults else f"chloe assets enable {symbol}"
    yield judged(enabled and not faults, _check(CONFIG, "entry", words, mend, "enabled"))
    broken = [str(fault) for fault in subject.setup.cards.faults_of(symbol)]
    if isinstance(plan, ConfigError):
        if not faults and not broken:
            yield judged(
                False, _check(CONFIG, "plan", str(plan), f"edit the file, then: chloe audit {symbol}")
            )
        return
    names = _names(plan, ACTIVE)
    shadows = len(_names(plan, SHADOW))
    seen = "; ".join(broken) or ", ".join(names) or "no active card applies"
    seen += f" and {count(shadows, 'shadow card')}" if shadows and not broken else ""
    yield judged(bool(names) and not broken, _check(CONFIG, "cards", seen, "chloe cards check", "1 active"))
    seen = f"settings {plan.config_hash[:8]}, parameters {plan.parameters_version}"
    yield judged(True, _check(CONFIG, "plan", seen, ""))


def _names(plan: AssetPlan, status: int) -> list[str]:
    return [name for name, card in zip(plan.names, plan.rules.cards, strict=True) if card.status == status]


def _instrument(subject: Subject, plan: AssetPlan) -> Iterator[Check]:
    venue, symbol = plan.asset.venue, subject.symbol
    refresh = f"chloe instruments refresh --venue {venue}"
    fault = listing_fault(plan.instrument, subject.now_ms)
    unlisted = f"{refresh}; settled for good: chloe assets disable {symbol}"
    yield judged(fault is None, _check(INSTRUMENT, "listed", fault or f"trades on {venue}", unlisted))
    grid = f"tick {plan.instrument.tick_quote}, lot {plan.instrument.lot_base}"
    known = float(plan.instrument.tick_quote) > 0 and float(plan.instrument.lot_base) > 0
    yield judged(known, _check(INSTRUMENT, "tick", grid, refresh))
    yield _smallest_order(subject, plan)


def _smallest_order(subject: Subject, plan: AssetPlan) -> Check:
    """Compare the venue's minimum with what the account's size makes of this coin's usual entry."""
    close, asset, state = subject.record.close, plan.rules.asset, subject.record.state
    least = max(asset.min_notional_quote, asset.min_quantity_base * (close or 0.0))
    sub = None if state is None else rebased(state.sub, asset.start_quote)
    most = (asset.start_quote if sub is None else equity_quote(sub)) * asset.max_leverage
    sizes = subject.record.sizes_quote
    carried, words = most, f"the sub-account can carry {money(most)}"
    if sizes:
        carried = min(most, median(sizes) * subject.size_factor)
        words = f"the usual entry is {money(carried)}"
        words += f" at size {number(subject.size_factor, 3)}" if subject.size_factor != 1.0 else ""
    mend = "raise share_frac of its bucket or equity_quote in config/risk.json, or chloe assets disable "
    limit = f"at least {money(least)}"
    return judged(carried >= least, _check(INSTRUMENT, "minimum", words, mend + subject.symbol, limit))


def _data(subject: Subject) -> Iterator[Check]:
    newest, symbol = subject.record.newest, subject.symbol
    if newest is None:
        yield judged(
            None, _check(DATA, "history", "no bar decided yet", _next_step(subject), f"{MIN_BARS} bars")
        )
        return
    gates = newest["record"]["decision"]["gates"]
    warm, complete = gates[_WARM], gates[_COMPLETE]
    seen = f"{int(warm[1]):,} bars in the last window"
    yield judged(warm[0] == 1, _check(DATA, "history", seen, f"chloe why {symbol}", f"{int(warm[2])} bars"))
    yield _gaps(subject, complete[1], complete[2])
    yield _freshness(subject)


def _gaps(subject: Subject, filled: float | None, limit: float) -> Check:
    """Judge bars missing from the last window, and bars of the span that no decision was made on."""
    frame_ms, decided = frame_ms_of(subject.asset, subject.record), subject.record.decided_ms
    due = (decided[-1] - decided[0]) // frame_ms + 1
    missing = max(0, due - len(decided))
    window = "two in a row" if filled is None or filled >= 1 else percent(filled)
    seen = f"{window} missing in the last window; {missing:,} of the last {count(due, 'bar')} not decided"
    passed = filled is not None and filled <= limit and missing <= limit * due
    mend = f"chloe why {subject.symbol}; keep it running: chloe run"
    return judged(passed, _check(DATA, "gaps", seen, mend, f"{percent(limit)} each"))


def _freshness(subject: Subject) -> Check:
    frame_ms, last_ms = frame_ms_of(subject.asset, subject.record), subject.record.decided_ms[-1]
    behind = max(0, subject.now_ms // frame_ms - 1 - last_ms // frame_ms)
    seen = f"last bar {minute(last_ms)}, {count(behind, 'bar')} behind"
    return judged(behind <= 1, _check(DATA, "freshness", seen, _next_step(subject), "1 bar behind"))


def _next_step(subject: Subject) -> str:
    asset = subject.asset
    if asset is not None and not asset.enabled:
        return f"chloe assets enable {subject.symbol}, then chloe run"
    return "chloe run"


def _errors(subject: Subject) -> Check:
    faults, decided = subject.record.faults, len(subject.record.decided_ms)
    bars, limit = sum(faults.values()), subject.setup.risk.filled_limit_frac
    told = ", ".join(f"{reason} {times}" for reason, times in faults.items())
    seen = f"{count(bars, 'bar')} without a decision in {held(SPAN_MS)}" + (f": {told}" if told else "")
    seen += f"; last {subject.record.newest_fault}" if subject.record.newest_fault else ""
    if not faults and not decided:
        return judged(None, _check(ERRORS, "no decision", "nothing was stepped yet", _next_step(subject)))
    passed = bars <= limit * (bars + decided)
    return judged(
        passed,
        _check(ERRORS, "no decision", seen, f"chloe why {subject.symbol}", f"{percent(limit)} of bars"),
    )


def _drawdown(subject: Subject, plan: AssetPlan | ConfigError) -> Check:
    state, limit = subject.record.state, subject.setup.risk.drawdown_limit_frac
    if state is None:
        return judged(True, _check(DRAWDOWN, "sub-account", "nothing was traded yet", "", percent(limit)))
    sub = state.sub if isinstance(plan, ConfigError) else rebased(state.sub, plan.rules.asset.start_quote)
    fallen = drawdown_frac(sub)
    mend = f"chloe assets disable {subject.symbol}, and chloe pf --by card to see what lost"
    return judged(
        fallen < limit, _check(DRAWDOWN, "sub-account", percent(fallen), mend, f"< {percent(limit)}")
    )


def _for_live(subject: Subject) -> Iterator[Check]:
    """Yield what only real orders need besides."""
    record, venue = subject.record, "" if subject.asset is None else subject.asset.venue
    prices = "simulated prices, no market made them" if record.simulated else "prices of a market"
    yield judged(not record.simulated, _check(REAL, "prices", prices, "chloe feed venue, then chloe run"))
    first, decided = record.first_ms, record.decided_ms
    length_ms = decided[-1] - first if decided and first is not None else 0
    seen = f"{length_ms / DAY_MS:.1f} days in account {record.account}"
    limit = f"{RECORD_MS // DAY_MS} days"
    yield judged(length_ms >= RECORD_MS, _check(REAL, "record", seen, "chloe run, and wait", limit))
    keys = subject.key_fault or f"there are keys for {venue}"
    yield judged(not subject.key_fault, _check(REAL, "keys", keys, f"write secrets/{venue}.json, mode 0600"))


def _check(group: str, name: str, seen: str, mend: str, limit: str = "") -> Check:
    return Check(group=group, name=name, status="", seen=seen, limit=limit, mend=mend)
