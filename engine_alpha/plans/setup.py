"""Configuration as this tick finds it: every asset's plan, and what is wrong with the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine_alpha.config.assets import Registry, known_symbols, read_registry
from engine_alpha.config.card_settings import own_cards
from engine_alpha.config.cards import Cards, Playbook, playbook_of, read_cards
from engine_alpha.config.engine import EngineConfig, read_engine
from engine_alpha.config.hashing import hash_config
from engine_alpha.config.instruments import instrument_of, load_instruments
from engine_alpha.config.parameters import ParameterSet, adopted_set, hashed_parameters
from engine_alpha.config.risk import (
    RiskConfig,
    bucket_code,
    detail_for,
    read_risk,
    risk_of,
    shares_fault,
    start_quote,
)
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.instrument import Instrument
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.kernel.grid import steps_per_unit
from engine_alpha.kernel.values import Asset, Rules, Tier
from engine_alpha.step.plan import AssetPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One reading of all configuration files."""

    home: Home
    registry: Registry
    engine: EngineConfig
    risk: RiskConfig
    cards: Cards
    instruments: Mapping[str, Mapping[str, Instrument]]
    sets: Mapping[str, ParameterSet] = field(default_factory=dict)  # by symbol, instead of the files
    made: dict[AssetConfig, AssetPlan] = field(default_factory=dict)  # plans made from this reading
    adopted: dict[str, ParameterSet] = field(default_factory=dict)  # by symbol, the files read so far

    @property
    def order(self) -> list[str]:
        """Return all symbols in the order of the registry."""
        return [asset.symbol for asset in self.registry.assets]

    @property
    def enabled(self) -> list[AssetConfig]:
        """Return the assets that may open positions."""
        return [asset for asset in self.registry.assets if asset.enabled]

    def place(self, symbol: str) -> int:
        """Return an asset's place in the registry; a removed one comes last."""
        order = self.order
        return order.index(symbol) if symbol in order else len(order)

    def faults_of(self, symbol: str) -> list[str]:
        """Return why this asset refuses to be configured: its entry's and its own cards' faults."""
        entry = [str(fault) for fault in self.registry.faults if fault.symbol == symbol]
        return entry + [str(fault) for fault in self.cards.faults_of(symbol)]

    def general_faults(self) -> list[str]:
        """Return faults that stop no asset by themselves: broken cards that name none."""
        return [str(fault) for fault in self.cards.faults if not fault.symbols]

    def detail(self, asset: AssetConfig) -> str | None:
        """Return the timeframe of the finer series inside the asset's bars; None where it has none."""
        return detail_for(self.risk, asset)

    def plan(self, asset: AssetConfig) -> AssetPlan:
        """Return what the kernel needs to know of one asset; raise `ConfigError` if something is missing."""
        if asset not in self.made:
            self.made[asset] = self._plan(asset)
        return self.made[asset]

    def set_of(self, symbol: str) -> ParameterSet:
        """Return a symbol's parameter set; a file is read once. Raises `ConfigError` for a broken one."""
        if symbol in self.sets:
            return self.sets[symbol]
        if symbol not in self.adopted:
            self.adopted[symbol] = adopted_set(self.home.parameters, symbol)
        return self.adopted[symbol]

    def playbook(self, asset: AssetConfig, own: ParameterSet) -> Playbook:
        """Return the cards that apply to an asset, as this set has them; `ConfigError` where it can't."""
        cards, problems = own_cards(self.cards, own.cards)
        if problems:
            raise own.fault(problems)
        return playbook_of(cards, asset)

    def rules_of(
        self, asset: AssetConfig, instrument: Instrument, own: ParameterSet
    ) -> tuple[Rules, tuple[str, ...]]:
        """Return an asset's rules on this contract and parameter set, and the names of its cards."""
        book = self.playbook(asset, own)
        start = start_quote(self.risk, asset)
        rules = Rules(
            kernel_asset(asset, instrument, self.place(asset.symbol), start, self.risk),
            risk_of(self.risk, asset),
            own.parameters,
            book.cards,
            book.conditions,
        )
        return rules, book.names

    def _plan(self, asset: AssetConfig) -> AssetPlan:
        instrument = instrument_of(self.instruments[asset.venue], asset)
        own = self.set_of(asset.symbol)
        rules, names = self.rules_of(asset, instrument, own)
        parts = {
            "asset": replace(asset, enabled=True),
            "rules": _hashed(rules),
            "names": names,
            "set": own.version,
            "instrument": instrument,
        }
        detail = self.detail(asset)
        if detail is not None:  # without it no hash is other than before there was any
            parts["detail"] = detail
        return AssetPlan(
            asset=asset,
            instrument=instrument,
            rules=rules,
            names=names,
            parameters_version=own.version,
            config_hash=hash_config(parts)[:32],
            detail=detail,
        )


def _hashed(rules: Rules) -> dict[str, Any]:
    """Return what is hashed of rules: without a place, for other entries change no asset's hash."""
    placeless = rules.asset._replace(place=0)
    return {**rules._asdict(), "asset": placeless, "parameters": hashed_parameters(rules.parameters)}


def read_setup(home: Home) -> Setup:
    """Read every configuration file anew; raise `ConfigError` for what no asset can do without."""
    registry = read_registry(home.registry)
    risk = read_risk(home.risk)
    fault = shares_fault(risk, registry.assets)
    if fault is not None:
        raise ConfigError(f"{home.risk}: {fault}")
    venues = {asset.venue for asset in registry.assets} | {"bybit", "binance"}
    instruments = {venue: load_instruments(home.instruments, venue) for venue in sorted(venues)}
    contracts = [symbol for each in instruments.values() for symbol in each]
    return Setup(
        home=home,
        registry=registry,
        engine=read_engine(home.engine),
        risk=risk,
        cards=read_cards(home.cards, known_symbols(registry, contracts)),
        instruments=instruments,
    )


def kernel_asset(
    asset: AssetConfig, instrument: Instrument, place: int, start: float, risk: RiskConfig
) -> Asset:
    """Return the asset as the kernel takes it: every number a float, the grid exact."""
    tick, lot = float(instrument.tick_quote), float(instrument.lot_base)
    return Asset(
        place,
        bucket_code(asset),
        asset.timeframe_ms,
        start,
        float(asset.max_leverage),
        max(float(asset.min_notional_usd), float(instrument.min_notional_quote)),
        float(instrument.min_quantity_base),
        float(instrument.max_market_quantity_base),
        tick,
        steps_per_unit(tick),
        lot,
        steps_per_unit(lot),
        instrument.taker_fee_frac,
        tuple(Tier(tier.floor_quote, tier.rate_frac, tier.deduction_quote) for tier in instrument.tiers),
    )
