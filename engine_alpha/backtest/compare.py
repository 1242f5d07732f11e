"""The gap between what an account earned in a period and what a backtest of the same period earns, by cause.

Every trade of either side is matched with the other's by asset, side and entry; what is left over, and what
matched trades earned differently, goes to exactly one cause each. Sums are exact: fractions, no rounding.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

OPEN: Final = "open"
"""The exit reason of a position that is still open, marked at the last close."""

STOPPED: Final = "stopped"
FEED: Final = "feed"
LATE: Final = "late"
HALTED: Final = "halted"
SPREAD: Final = "spread"
BARS: Final = "bars"
CONFIG: Final = "config"
FILLS: Final = "fills"
SIZE: Final = "size"
FUNDING: Final = "funding"
START: Final = "start"
REST: Final = "rest"

CAUSES: Final = (STOPPED, FEED, LATE, HALTED, SPREAD, BARS, CONFIG, FILLS, SIZE, FUNDING, START, REST)

LONG: Final = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """One trade of a period, or a position still open at its end (`exit_reason` "open", at its last mark).

    `side` is +1 or −1, `frame_ms` the length of the asset's bars. Net is after fees and funding. `before`
    says that its entry was decided before the period, `carried_quote` what it had earned at its beginning.
    """

    symbol: str
    frame_ms: int
    side: int
    quantity_base: float
    entry_ms: int
    exit_ms: int
    exit_reason: str
    funding_quote: float
    net_quote: float
    before: bool = False
    carried_quote: float = 0.0

    @property
    def earned(self) -> Fraction:
        """Return what it earned inside the period."""
        return Fraction(self.net_quote) - Fraction(self.carried_quote)

    @property
    def key(self) -> tuple[str, int, int]:
        """Return by what it is matched."""
        return self.symbol, self.side, self.entry_ms


Blame = Callable[[str, int], Iterable[str]]
"""Say what was wrong with the account's record of a bar, by asset and open time: first things first."""

_OF_EXITS = (STOPPED, FEED, CONFIG, BARS)  # late or halted, an exit goes through all the same
_OF_OWN = (CONFIG, BARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What of the gap one trade puts down to one cause; a side that has no such trade earned 0."""

    cause: str
    symbol: str
    side: int
    entry_ms: int
    gap: Fraction

    @property
    def gap_quote(self) -> float:
        """Return the amount as a number for people."""
        return float(self.gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One cause's part of the gap, and how many trades it comes from."""

    cause: str
    gap: Fraction
    trades: int

    @property
    def gap_quote(self) -> float:
        """Return the amount as a number for people."""
        return float(self.gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out: `gap` = account − backtest = the sum of `parts`, to the last digit."""

    account: Fraction
    backtest: Fraction
    account_trades: int
    backtest_trades: int
    matched: int
    parts: tuple[Part, ...]
    shares: tuple[Share, ...]

    @property
    def gap(self) -> Fraction:
        """Return how much more the account earned."""
        return self.account - self.backtest


def compare(account: Sequence[RoundTrip], backtest: Sequence[RoundTrip], blame: Blame) -> Comparison:
    """Split the gap between two sides of one period.

    A side has at most one trade per asset, side and entry.
    """
    ours, theirs = {trip.key: trip for trip in account}, {trip.key: trip for trip in backtest}
    shares: list[Share] = []
    for key in sorted({*ours, *theirs}, key=lambda key: (key[2], key[0], key[1])):
        own, other = ours.get(key), theirs.get(key)
        if own is not None and other is not None and not own.before:
            shares += _of_pair(own, other, blame)
            continue
        if own is not None:
            cause = START if own.before else _first(blame, own, _bar_before(own), _OF_OWN)
            shares.append(_share(own, own.earned, cause or REST))
        if other is not None:
            shares.append(_share(other, -other.earned, _why_missed(other, account, blame)))
    return Comparison(
        account=_total(trip.earned for trip in account),
        backtest=_total(trip.earned for trip in backtest),
        account_trades=len(account),
        backtest_trades=len(backtest),
        matched=len(ours.keys() & theirs.keys()),
        parts=_parts(shares),
        shares=tuple(share for share in shares if share.gap),
    )


def _of_pair(own: RoundTrip, other: RoundTrip, blame: Blame) -> list[Share]:
    """Split what two trades with one entry earned differently: funding, then size, then the way out.

    Where the entry was decided on other settings or bars, all but funding comes of that.
    """
    funding = Fraction(own.funding_quote) - Fraction(other.funding_quote)
    before_funding = other.earned - Fraction(other.funding_quote)
    more = (
        Fraction(own.quantity_base) / Fraction(other.quantity_base) - 1
        if other.quantity_base
        else Fraction(0)
    )
    size = more * before_funding
    left = own.earned - other.earned - funding - size
    other_start = _first(blame, own, _bar_before(own), _OF_OWN)
    if other_start is not None:
        return [_share(own, funding, FUNDING), _share(own, size + left, other_start)]
    cause = _why_other_exit(own, other, blame)
    return [_share(own, funding, FUNDING), _share(own, size, SIZE), _share(own, left, cause)]


def _why_other_exit(own: RoundTrip, other: RoundTrip, blame: Blame) -> str:
    """Blame the bar on which the first of the two was left, else the one before it."""
    same = (own.exit_ms, own.exit_reason) == (other.exit_ms, other.exit_reason)
    first = (min(own.exit_ms, other.exit_ms) - 1) // own.frame_ms * own.frame_ms
    for open_ms in (first, first - own.frame_ms):
        found = _first(blame, own, open_ms, _OF_OWN if same else _OF_EXITS)
        if found is not None:
            return found
    return FILLS if same else REST


def _why_missed(other: RoundTrip, account: Sequence[RoundTrip], blame: Blame) -> str:
    """Blame a position from before the period that was held then, else the bar of the decision."""
    carried = (trip for trip in account if trip.symbol == other.symbol and trip.before)
    if any(other.entry_ms <= trip.exit_ms for trip in carried):
        return START
    return _first(blame, other, _bar_before(other), CAUSES) or REST


def _bar_before(trip: RoundTrip) -> int:
    """Return when the bar opened on which the entry was decided."""
    return trip.entry_ms - trip.frame_ms


def _first(blame: Blame, trip: RoundTrip, open_ms: int, among: Sequence[str]) -> str | None:
    return next((cause for cause in blame(trip.symbol, open_ms) if cause in among), None)


def _share(trip: RoundTrip, gap: Fraction, cause: str) -> Share:
    return Share(cause=cause, symbol=trip.symbol, side=trip.side, entry_ms=trip.entry_ms, gap=gap)


def _total(amounts: Iterable[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0))


def _parts(shares: Sequence[Share]) -> tuple[Part, ...]:
    parts = []
    for cause in CAUSES:
        own = [share for share in shares if share.cause == cause and share.gap]
        if own:
            parts.append(Part(cause=cause, gap=_total(share.gap for share in own), trades=len(own)))
    return tuple(parts)


def trip_of(trade: Mapping[str, Any], frame_ms: int, from_ms: int, carried_quote: float = 0.0) -> RoundTrip:
    """Return a journal's trade as a round trip of the period that begins at `from_ms`."""
    return RoundTrip(
        symbol=trade["symbol"],
        frame_ms=frame_ms,
        side=1 if trade["side"] == LONG else -1,
        quantity_base=trade["quantity_base"],
        entry_ms=trade["entry_ms"],
        exit_ms=trade["exit_ms"],
        exit_reason=trade["exit_reason"],
        funding_quote=trade["funding_quote"],
        net_quote=trade["net_quote"],
        before=trade["entry_ms"] - frame_ms < from_ms,
        carried_quote=carried_quote,
    )
