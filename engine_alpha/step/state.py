"""An asset's state and the account's: kernel values in memory, JSON text in the journal."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.instrument import Tier as InstrumentTier
from engine_alpha.kernel.ledger import held_of, held_with
from engine_alpha.kernel.money import NEW_TALLY, NO_OTHERS, new_account, new_sub_account
from engine_alpha.kernel.values import (
    Account,
    Asset,
    Card,
    Condition,
    Others,
    Parameters,
    Risk,
    SubAccount,
    Tally,
    Tier,
)
from engine_alpha.step.text import build, to_text

ACCOUNT = "account"
LIVE_PREFIX = "live/"
"""States of real orders, which are not this module's: "live/" and the symbol."""
KEPT_INSTRUMENTS = 2_048

_CONFIG = tuple(each.name for each in fields(AssetConfig))  # plain values all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCard:
    """The card of an open or pending position and the settings it was last stepped on.

    Kept so that exits outlive every file: a card that is deleted, parameters or an instrument that broke.
    """

    name: str
    card: Card
    conditions: tuple[Condition, ...]
    asset: Asset
    risk: Risk
    parameters: Parameters
    parameters_version: str
    instrument: Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A shadow card's own would-be money and tally."""

    sub: SubAccount
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetState:
    """All that is remembered of one asset: its money, what each card did, the settings it was stepped on."""

    config: AssetConfig
    sub: SubAccount
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    shadows: Mapping[str, Shadow] = field(default_factory=dict)
    held: HeldCard | None = None

    @property
    def is_flat(self) -> bool:
        """Say whether there is neither a position nor an entry waiting for its fill."""
        return self.sub.position.side == 0 and self.sub.pending.side == 0

    def tally(self, card: str) -> Tally:
        """Return what a card has done so far."""
        return self.tallies.get(card, NEW_TALLY)

    def shadow(self, card: str) -> Shadow:
        """Return a shadow card's money, fresh if it never ran."""
        fresh = Shadow(sub=new_sub_account(self.sub.start_quote), tally=NEW_TALLY)
        return self.shadows.get(card, fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The account's configured equity and marks, and whether a person has halted entries."""

    marks: Account
    start_quote: float
    halted: bool = False
    halt_reason: str = ""
    halt_at_ms: int = 0  # when a person last halted or resumed


def new_state(config: AssetConfig, start_quote: float) -> AssetState:
    """Return the state of an asset never stepped before."""
    return AssetState(config=config, sub=new_sub_account(start_quote))


def rebased(sub: SubAccount, start_quote: float) -> SubAccount:
    """Return the sub-account with another configured equity: the difference is paid in or out, no profit."""
    if start_quote == sub.start_quote:
        return sub
    moved = start_quote - sub.start_quote
    return sub._replace(start_quote=start_quote, peak_quote=sub.peak_quote + moved)


def state_parts(state: AssetState) -> dict[str, Any]:
    """Return the state as what JSON can hold, part by part."""
    held = None
    if state.held is not None:
        held = {each.name: getattr(state.held, each.name) for each in fields(HeldCard)}
        held["instrument"] = _instrument_parts(state.held.instrument)
        held["parameters"] = written_parameters(state.held.parameters)
    return {
        "config": {name: getattr(state.config, name) for name in _CONFIG},
        "sub": state.sub,
        "tallies": dict(state.tallies),
        "shadows": {name: [shadow.sub, shadow.tally] for name, shadow in state.shadows.items()},
        "held": held,
    }


@lru_cache(maxsize=KEPT_INSTRUMENTS)
def _instrument_parts(instrument: Instrument) -> dict[str, Any]:
    """Return an instrument as what JSON can hold, only to be read: it is asked for at each bar."""
    return asdict(instrument)


def written_parameters(parameters: Parameters) -> tuple[Any, ...]:
    """Return a set as it is written and hashed: one without calibration as before there was any."""
    return parameters if parameters.calibration else parameters[:-1]


def state_text(state: AssetState) -> str:
    """Return the state as canonical JSON."""
    return to_text(state_parts(state))


def changed_parts(before: AssetState | None, after: AssetState) -> dict[str, Any]:
    """Return the parts in which two states differ: what an event needs to carry."""
    parts = state_parts(after)
    if before is None:
        return parts
    old = state_parts(before)
    return {name: part for name, part in parts.items() if part != old[name]}


def state_of(text: str) -> AssetState:
    """Return the state written by `state_text`, to the bit."""
    stored = json.loads(text)
    return AssetState(
        config=AssetConfig(**stored["config"]),
        sub=build(SubAccount, stored["sub"]),
        tallies={name: build(Tally, items) for name, items in stored["tallies"].items()},
        shadows={
            name: Shadow(sub=build(SubAccount, sub), tally=build(Tally, tally))
            for name, (sub, tally) in stored["shadows"].items()
        },
        held=None if stored["held"] is None else _held_of(stored["held"]),
    )


def _held_of(stored: dict[str, Any]) -> HeldCard:
    asset: Asset = build(Asset, stored["asset"])
    instrument = stored["instrument"]
    tiers = tuple(InstrumentTier(**tier) for tier in instrument["tiers"])
    return HeldCard(
        name=stored["name"],
        card=build(Card, stored["card"]),
        conditions=tuple(build(Condition, items) for items in stored["conditions"]),
        asset=asset._replace(tiers=tuple(build(Tier, tier) for tier in asset.tiers)),
        risk=build(Risk, stored["risk"]),
        parameters=_parameters_of(stored["parameters"]),
        parameters_version=stored["parameters_version"],
        instrument=Instrument(**{**instrument, "tiers": tiers}),
    )


def _parameters_of(stored: list[Any]) -> Parameters:
    """Return the set written by `written_parameters`."""
    whole = stored if len(stored) == len(Parameters._fields) else [*stored, []]
    found: Parameters = build(Parameters, whole)
    return found._replace(
        weights=tuple(tuple(row) for row in found.weights),
        calibration=tuple(tuple(row) for row in found.calibration),
    )


def rebased_account(account: AccountState, start_quote: float) -> AccountState:
    """Return the account with another configured equity: paid in or out, neither loss nor drawdown."""
    if start_quote == account.start_quote:
        return account
    moved = start_quote - account.start_quote
    marks = account.marks._replace(
        peak_quote=account.marks.peak_quote + moved, day_start_quote=account.marks.day_start_quote + moved
    )
    return replace(account, marks=marks, start_quote=start_quote)


def account_text(account: AccountState) -> str:
    """Return the account's state as canonical JSON."""
    return to_text(account_parts(account))


def account_parts(account: AccountState) -> dict[str, Any]:
    """Return the account's state as what JSON can hold."""
    return {
        "marks": account.marks,
        "start_quote": account.start_quote,
        "halted": account.halted,
        "halt_reason": account.halt_reason,
        "halt_at_ms": account.halt_at_ms,
    }


def account_of(text: str | None, start_quote: float) -> AccountState:
    """Return the account's state; a fresh one for no text."""
    if text is None:
        return AccountState(marks=new_account(start_quote), start_quote=start_quote)
    stored: dict[str, Any] = json.loads(text)
    return AccountState(**{**stored, "marks": build(Account, stored["marks"])})


class AccountBook:
    """The account as the steps of one process see it: read once from the journal, replaced commit by commit.

    A fault of one asset leaves its entry as it was, so to the others it is merely passed over.
    """

    def __init__(self, states: Mapping[str, str], start_quote: float) -> None:
        self.account = account_of(states.get(ACCOUNT), start_quote)
        self._assets = {
            name: state_of(text)
            for name, text in states.items()
            if name != ACCOUNT and not name.startswith(LIVE_PREFIX)
        }
        self._held = {name: held_of(state.sub) for name, state in self._assets.items()}
        self._order: list[str] | None = None  # what `_held` is sorted by; None: sort it anew

    @property
    def assets(self) -> Mapping[str, AssetState]:
        """Return all assets' states by symbol, to read."""
        return self._assets

    def others(self, symbol: str, bucket: str, order: Iterable[str]) -> Others:
        """Add up all assets but one: those in `order` first, then the rest by name.

        Asked once per asset and tick, so an asset that holds nothing brings in its profit and loss alone: the
        zeros it would add change no bit.
        """
        self._arrange(list(order))
        others, net_quote = NO_OTHERS, 0.0
        for name, held in self._held.items():
            if name == symbol:
                continue
            net_quote += held.net_quote
            if held.positions or held.notional_quote or held.risk_quote:
                same_bucket = int(self._assets[name].config.risk_bucket == bucket)
                others = held_with(others, held, same_bucket)
        return others._replace(net_quote=net_quote)

    def _arrange(self, order: list[str]) -> None:
        """Bring what the assets hold into the order in which it is added up."""
        if order != self._order:
            listed = dict.fromkeys(order)
            names = (*listed, *sorted(self._held.keys() - listed.keys()))
            self._held = {name: self._held[name] for name in names if name in self._held}
            self._order = order

    def put(self, symbol: str, state: AssetState, account: AccountState) -> None:
        """Take over what was committed."""
        if symbol not in self._assets:
            self._order = None
        self._assets[symbol] = state
        self._held[symbol] = held_of(state.sub)
        self.account = account
