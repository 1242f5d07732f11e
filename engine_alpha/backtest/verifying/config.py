"""Which configuration a decision was made on, whatever the files say now."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

from engine_alpha.backtest.verifying.library import (
    CARDS,
    INSTRUMENT,
    PARAMETERS,
    REGISTRY,
    RISK,
    Library,
    OwnCard,
    no_drawdown,
    parts_of,
)
from engine_alpha.backtest.verifying.replay import Decided, Past
from engine_alpha.config.cards import Cards, playbook_of
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.detail import MINUTES
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.values import Card, Condition, Rules
from engine_alpha.plans.setup import Setup, kernel_asset
from engine_alpha.step.plan import KEPT, AssetPlan, kept_plan
from engine_alpha.step.recording import part_hash
from engine_alpha.step.state import AssetState

Scan = Callable[[], Iterator[Decided]]


class Settings:
    """Finds the plan of a decision: that of the files, else one put together from what the journal tells.

    `scan` walks over all decisions; it is called once, when a decision turns out to have been made on other
    settings than those of now. Positions carry the settings they were opened on, gates their limits.
    """

    def __init__(self, setup: Setup, scan: Scan) -> None:
        self.setup = setup
        self.library = Library()
        self._scan = scan
        self._scanned = False
        self._plans: dict[tuple[AssetConfig, str], AssetPlan | None] = {}

    def now(self, asset: AssetConfig) -> AssetPlan:
        """Return the plan that the files make of an asset now; raise `ConfigError` if they make none."""
        return plan_now(self.setup, asset)

    def then(self, decided: Decided, asset: AssetConfig, before: AssetState | None) -> AssetPlan | None:
        """Return the plan of a decision; None where it can't be put together any more."""
        config_hash = decided.payload["config_hash"]
        if config_hash == KEPT:
            return None if before is None or before.held is None else kept_plan(asset, before.held)
        key = (asset, config_hash)
        if key not in self._plans:
            self._plans[key] = self._found(decided, asset)
        plan = self._plans[key]
        if plan is None:
            return None
        rules = plan.rules._replace(asset=plan.rules.asset._replace(place=decided.payload["place"]))
        return replace(plan, rules=rules)

    def gather(self, asset: AssetConfig) -> None:
        """Fill the library from the files as they are now, and once from the whole journal."""
        for entry in (asset, entry_now(self.setup, asset)):
            if entry is not None:
                self._add_files(entry)
        if not self._scanned:
            self._scanned = True
            self._add_journal()

    def _found(self, decided: Decided, asset: AssetConfig) -> AssetPlan | None:
        try:
            plan = self.setup.plan(asset)
        except ConfigError:
            plan = None
        if plan is not None and plan.config_hash == decided.payload["config_hash"]:
            return plan
        self.gather(asset)
        return self._put_together(decided, asset)

    def _put_together(self, decided: Decided, asset: AssetConfig) -> AssetPlan | None:
        parts, known = parts_of(decided), self.library
        if not parts:
            return None
        risk, adopted = known.risks.get(parts[RISK]), known.adopted.get(parts[PARAMETERS])
        instrument = known.instruments.get(parts[INSTRUMENT])
        cards = [known.cards[part] for part in parts[CARDS:] if part in known.cards]
        detail = detail_of_part(asset, parts[REGISTRY])
        if risk is None or adopted is None or instrument is None or detail is None:
            return None
        if len(cards) < len(parts) - CARDS:
            return None
        playbook, conditions = _playbook(cards)
        kernel = kernel_asset(asset, instrument, decided.payload["place"], risk[1], self.setup.risk)
        return AssetPlan(
            asset=asset,
            instrument=instrument,
            rules=Rules(kernel, risk[0], adopted[1], playbook, conditions),
            names=tuple(decided.payload["cards"][: len(cards)]),
            parameters_version=adopted[0],
            config_hash=decided.payload["config_hash"],
            detail=detail or None,
        )

    def _add_files(self, asset: AssetConfig) -> None:
        try:
            self.library.add_plan(self.setup.plan(asset))
        except ConfigError:
            return
        for config in self.setup.cards.cards:  # also as they would be with another status or for all assets
            scope = config.scope.model_copy(update={"symbols": (), "timeframes": ()})
            for status in ("active", "shadow"):
                free = config.model_copy(update={"status": status, "scope": scope})
                book = playbook_of(Cards(cards=(free,), faults=()), asset)
                self.library.add_card(book.cards[0], book.conditions)

    def _add_journal(self) -> None:
        past, seen = Past(), set[tuple[str, str, bool]]()
        for decided in self._scan():
            past.take(decided, None)
            state = past.state(decided.symbol) if decided.payload["after"].get("held") else None
            if state is not None and state.held is not None:
                self.library.add_held(state.held)
            key = (decided.symbol, decided.payload["config_hash"], no_drawdown(decided))
            if key in seen:
                continue
            seen.add(key)
            try:
                self.library.add_recorded(self.now(past.config(decided)), decided)
            except ConfigError:
                continue


def plan_now(setup: Setup, asset: AssetConfig) -> AssetPlan:
    """Return the plan that the files make of an asset, switched on or off as it was.

    Raises `ConfigError` if they make none.
    """
    entry = entry_now(setup, asset)
    if entry is None:
        raise ConfigError(f"{asset.symbol} is not in {setup.home.registry} any more")
    return setup.plan(entry)


def entry_now(setup: Setup, asset: AssetConfig) -> AssetConfig | None:
    """Return what the registry says of an asset now, switched on or off as it was; None if it is gone."""
    found = next((one for one in setup.registry.assets if one.symbol == asset.symbol), None)
    return None if found is None else replace(found, enabled=asset.enabled)


def detail_of_part(asset: AssetConfig, part: str) -> str | None:
    """Return the finer series that a registry entry's hash stands for, "" for none; None if it is unknown."""
    for detail in (None, MINUTES):
        if part_hash(asdict(replace(asset, enabled=True)), detail) == part:
            return detail or ""
    return None


def _playbook(cards: list[OwnCard]) -> tuple[tuple[Card, ...], tuple[Condition, ...]]:
    """Return cards with their conditions in one list."""
    placed: list[Card] = []
    conditions: list[Condition] = []
    for card, own in cards:
        first = len(conditions)
        conditions.extend(own)
        placed.append(
            card._replace(
                entry_first=first + card.entry_first,
                entry_end=first + card.entry_end,
                exit_first=first + card.exit_first,
                exit_end=first + card.exit_end,
            )
        )
    return tuple(placed), tuple(conditions)
