"""What must hold at a venue before the first order of an asset; each fault is a sentence with its remedy.

The reads come first, then pure functions judge them. A failed read is a `VenueError`, never a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.orders import Unreadable, VenuePosition, Wallet
from engine_alpha.domain.venue_facts import AccountFacts, FeeRates, KeyFacts, SymbolFacts
from engine_alpha.errors import Refused
from engine_alpha.ports import Clock, Venue
from engine_alpha.venues.lifecycle import lifecycle_of

MOST_SKEW_MS: Final = 1_000  # the venues refuse a timestamp that is further ahead
LEAST_LEVERAGE: Final = Decimal(1)
BALANCE_SLACK: Final = Decimal("0.05")  # the venue marks positions and takes fees before our bars do
GRID: Final = (
    ("tick_quote", "price tick"),
    ("lot_base", "lot"),
    ("min_quantity_base", "minimum quantity"),
    ("min_notional_quote", "minimum notional"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupNeeds:
    """What the checks are measured against: our clock, the sub-account's equity, a price of the contract.

    `together_quote` is the equity of all sub-accounts that trade on the same wallet; None for this one alone.
    `with_fees`: ask for fee rates too, which only warn and cost much of the pace.
    """

    clock: Clock
    equity_quote: float
    price_quote: float
    together_quote: float | None = None
    with_fees: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Faults forbid the first order; warnings are only said. `set_up`: margin mode and leverage are set."""

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    set_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """The venue's time, and ours before and after it was asked."""

    sent_ms: int
    server_ms: int
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueReading:
    """What all assets of a venue share: the clocks, the account, its money, its positions."""

    clock: ClockReading
    account: AccountFacts
    wallet: Wallet
    positions: Mapping[str, VenuePosition | Unreadable]


async def read_venue(venue: Venue, clock: Clock) -> VenueReading:
    """Ask a venue for what all its assets share."""
    sent_ms = clock.now_ms()
    server_ms = await venue.server_ms()
    reading = ClockReading(sent_ms=sent_ms, server_ms=server_ms, received_ms=clock.now_ms())
    return VenueReading(
        clock=reading,
        account=await venue.account_facts(),
        wallet=await venue.wallet(),
        positions=await venue.positions(),
    )


async def setup_findings(
    venue: Venue,
    asset: AssetConfig,
    instrument: Instrument,
    needs: SetupNeeds,
    shared: VenueReading | None = None,
) -> Findings:
    """Return faults and warnings. Leverage and margin mode are set only where nothing else is wrong.

    Those of an open position stay: more leverage would take margin from it, and bring its liquidation nearer.
    `shared` is what was read of the venue just now; without it that is read here.
    """
    shared = shared or await read_venue(venue, needs.clock)
    server_ms = shared.clock.server_ms
    facts = await venue.symbol_facts(asset.symbol)
    faults = [
        *clock_faults(venue.name, shared.clock),
        *account_faults(venue.name, shared.account),
        *contract_faults(facts, instrument, server_ms),
    ]
    if not lifecycle_of(facts, instrument, server_ms).may_enter:
        return Findings(faults=faults)
    faults += grid_faults(facts, instrument)
    together = needs.equity_quote if needs.together_quote is None else needs.together_quote
    faults += money_faults(venue.name, shared.wallet, together)
    faults += size_faults(facts, asset, needs)
    faults += leverage_faults(facts, asset)
    sets_up = not faults and asset.symbol not in shared.positions
    if sets_up:
        faults += await _set_up_faults(venue, asset)
    warnings = fee_warnings(await venue.fee_rates(asset.symbol), instrument) if needs.with_fees else []
    return Findings(faults=faults, warnings=warnings, set_up=sets_up and not faults)


async def _set_up_faults(venue: Venue, asset: AssetConfig) -> list[str]:
    leverage = leverage_text(asset)
    try:
        await venue.set_up(asset.symbol, leverage)
    except Refused as fault:
        return [f"{asset.symbol}: isolated margin at leverage {leverage} was refused: {fault}"]
    return []


def clock_faults(venue: str, clock: ClockReading) -> list[str]:
    """Judge the two clocks; half the round trip is doubt, for the venue looked at its own somewhere in it."""
    doubt_ms = (clock.received_ms - clock.sent_ms) / 2
    skew_ms = (clock.sent_ms + clock.received_ms) / 2 - clock.server_ms
    if abs(skew_ms) - doubt_ms <= MOST_SKEW_MS:
        return []
    where = "ahead of" if skew_ms > 0 else "behind"
    return [
        f"this machine's clock is {abs(skew_ms) / 1_000:.1f} s {where} {venue}'s: "
        "set it by NTP (timedatectl set-ntp true)"
    ]


def account_faults(venue: str, account: AccountFacts) -> list[str]:
    """Judge position mode, margin mode and key."""
    faults = key_faults(venue, account.key)
    if not account.one_way:
        faults.append(f"the account at {venue} is in hedge mode: switch its position mode to one-way")
    if account.isolated is False:
        faults.append(f"the account at {venue} uses cross margin: switch its margin mode to isolated")
    return faults


def key_faults(venue: str, key: KeyFacts) -> list[str]:
    """Judge the key; what the venue does not tell (None) is no fault."""
    if key.can_withdraw:
        return [f"the API key can withdraw from {venue}: make one that can't, and delete this one"]
    if key.read_only:
        return [f"the API key for {venue} is read only: allow it to trade derivatives"]
    if key.can_trade is False:
        return [f"the API key for {venue} may not trade derivatives: allow it to"]
    return []


def contract_faults(facts: SymbolFacts, instrument: Instrument, now_ms: int) -> list[str]:
    """Judge whether entries may be made at all."""
    life = lifecycle_of(facts, instrument, now_ms)
    return [] if life.may_enter else [life.sentence]


def grid_faults(facts: SymbolFacts, instrument: Instrument) -> list[str]:
    """Judge grid and minimums against the snapshot, by value: "0.10" is "0.1"."""
    changed = [
        f"{name} {getattr(instrument, key)} is now {getattr(facts, key)}"
        for key, name in GRID
        if Decimal(getattr(instrument, key)) != Decimal(getattr(facts, key))
    ]
    if not changed:
        return []
    return [f"{facts.symbol}: {', '.join(changed)}: run chloe instruments refresh"]


def money_faults(venue: str, wallet: Wallet, equity_quote: float) -> list[str]:
    """Judge whether the account holds what the sub-accounts on it are to trade with."""
    held, wanted = Decimal(wallet.equity_quote), Decimal(repr(equity_quote))
    if held >= wanted * (1 - BALANCE_SLACK):
        return []
    return [
        f"insufficient balance: the account at {venue} holds {held:.2f} USDT, what trades on it is set to "
        f"{wanted:.2f}: deposit, or lower equity_quote in risk.json"
    ]


def size_faults(facts: SymbolFacts, asset: AssetConfig, needs: SetupNeeds) -> list[str]:
    """Judge whether the smallest order fits into what the sub-account can carry."""
    most = Decimal(repr(needs.equity_quote)) * Decimal(repr(asset.max_leverage))
    by_quantity = Decimal(facts.min_quantity_base) * Decimal(repr(needs.price_quote))
    least = max(by_quantity, Decimal(facts.min_notional_quote), Decimal(repr(asset.min_notional_usd)))
    if least <= most:
        return []
    return [
        f"{facts.symbol}: the smallest order is {least:.2f} USDT, the sub-account can carry {most:.2f}: "
        "raise its share, or leave this coin out"
    ]


def leverage_faults(facts: SymbolFacts, asset: AssetConfig) -> list[str]:
    """Judge the leverage where the venue names a maximum ("0": it does not)."""
    most = Decimal(facts.max_leverage)
    if most == 0 or Decimal(leverage_text(asset)) <= most:
        return []
    return [
        f"{facts.symbol}: leverage {leverage_text(asset)} is above the venue's maximum {most:f}: "
        "lower max_leverage in the registry"
    ]


def leverage_text(asset: AssetConfig) -> str:
    """Return the leverage to set: the cap on notional over equity, but at least 1 as the venues do."""
    return format(max(Decimal(repr(asset.max_leverage)), LEAST_LEVERAGE).normalize(), "f")


def fee_warnings(rates: FeeRates, instrument: Instrument) -> list[str]:
    """Say which fee is higher than what backtests and sizing reckon with."""
    told = (
        ("maker", rates.maker_frac, instrument.maker_fee_frac),
        ("taker", rates.taker_frac, instrument.taker_fee_frac),
    )
    return [
        f"{instrument.symbol}: the {name} fee is {_percent(paid)} %, the snapshot reckons with "
        f"{_percent(repr(known))} %: put the account's fee into the instruments file"
        for name, paid, known in told
        if Decimal(paid) > Decimal(repr(known))
    ]


def _percent(frac: str) -> str:
    return format((Decimal(frac) * 100).normalize(), "f")
