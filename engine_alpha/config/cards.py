"""Strategy cards: JSON files that become the kernel's rules for one asset."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from engine_alpha.config.assets import AssetConfig
from engine_alpha.config.checking import OneOf, Problem, Strict, advice, check
from engine_alpha.config.reading import Source, dotted, parse_members, read_source
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import (
    ACTIVE,
    ALL_REGIMES,
    AT_LEAST,
    AT_MOST,
    CROSSES_ABOVE,
    CROSSES_BELOW,
    DIRECTIONS,
    REGIMES,
    SHADOW,
)
from engine_alpha.kernel.signals import DIRECTIONAL, QUOTE, SIGNAL_CODE, SIGNALS
from engine_alpha.kernel.values import Card, Condition

STATUSES = {"active": ACTIVE, "shadow": SHADOW, "disabled": 0}
NEVER = -2.0  # no score falls below it
COMPARISONS = {
    "at_least": AT_LEAST,
    "at_most": AT_MOST,
    "crosses_above": CROSSES_ABOVE,
    "crosses_below": CROSSES_BELOW,
}

FOLLOWS = ("engine", "entry")
_USABLE = tuple(spec.name for spec in SIGNALS if spec.kind != QUOTE)

Signal = Annotated[str, OneOf(_USABLE)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,20}$")]
Positive = Annotated[float, Field(gt=0, le=1_000)]
Limit = Annotated[float, Field(ge=-1e6, le=1e6)]


class ConditionConfig(Strict):
    """A signal and its bounds. A directional signal is first multiplied by the trade's direction (+1, -1).

    A crossing holds on the one bar on which the signal goes beyond the value.
    """

    signal: Signal
    at_least: Limit | None = None
    at_most: Limit | None = None
    crosses_above: Annotated[Limit | None, Field(description="Not above a bar ago, above now.")] = None
    crosses_below: Annotated[Limit | None, Field(description="Not below a bar ago, below now.")] = None

    @model_validator(mode="after")
    def _bounded(self) -> "ConditionConfig":
        if all(getattr(self, name) is None for name in COMPARISONS):
            raise ValueError(f"needs one or more of {', '.join(COMPARISONS)}")
        return self


class Distance(Strict):
    """How far from the fill: exactly one of the three."""

    atr: Annotated[Positive | None, Field(description="In ATR(14).")] = None
    range: Annotated[Positive | None, Field(description="In mean true ranges of 336 bars.")] = None
    frac: Annotated[float | None, Field(gt=0, lt=1, description="Of the fill price.")] = None

    @model_validator(mode="after")
    def _one(self) -> "Distance":
        if [self.atr, self.range, self.frac].count(None) != 2:
            raise ValueError("needs exactly one of atr, range, frac")
        return self


class Scope(Strict):
    """Where a card applies; an empty list means any."""

    symbols: Annotated[tuple[Symbol, ...], Field(strict=False)] = ()
    regimes: Annotated[tuple[Annotated[str, OneOf(REGIMES)], ...], Field(strict=False)] = ()
    timeframes: Annotated[tuple[Annotated[str, OneOf(tuple(TIMEFRAME_MS))], ...], Field(strict=False)] = ()
    direction: Annotated[str, OneOf(tuple(DIRECTIONS))] = "both"
    follows: Annotated[
        str,
        OneOf(FOLLOWS),
        Field(description="Whose direction is traded: the engine's, or the one the entry conditions give."),
    ] = "engine"
    priority: Annotated[int, Field(ge=-1_000, le=1_000, description="Higher is asked first.")] = 0


class Exits(Strict):
    """When a position of this card is left."""

    stop: Distance
    target: Distance | None = None
    trailing: Distance | None = None
    max_hold_bars: Annotated[int, Field(ge=0, le=1_000_000, description="0: no limit.")] = 0
    when: Annotated[
        tuple[ConditionConfig, ...], Field(strict=False, description="Leave when all of these hold.")
    ] = ()
    min_confidence: Annotated[
        float | None, Field(ge=-1, le=1, description="Leave when the score in the trade's direction is less.")
    ] = None


class CardRisk(Strict):
    """How much a card may trade."""

    size_factor: Annotated[float, Field(gt=0, le=1, description="Times the risk of risk.json.")] = 1.0
    max_notional_quote: Annotated[float | None, Field(gt=0, le=1e12)] = None
    trades_per_day: Annotated[int, Field(ge=0, le=10_000, description="Entries per UTC day; 0: any.")] = 0


class Activation(Strict):
    """What a card's own record must show from `min_trades` closed trades on."""

    min_trades: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    min_pf: Annotated[float, Field(ge=0, le=10)] = 0.0
    max_drawdown_frac: Annotated[
        float | None, Field(gt=0, le=1, description="Lost from its peak, over the sub-account's start.")
    ] = None


class CardConfig(Strict):
    """One strategy card."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    rationale: Annotated[str, Field(min_length=1, description="Why this should have an edge.")]
    source: Annotated[str, Field(min_length=1, description="Where the idea and its numbers come from.")]
    status: Annotated[str, OneOf(tuple(STATUSES))]
    scope: Scope
    entry: Annotated[
        tuple[ConditionConfig, ...], Field(strict=False, min_length=1, description="Enter when all hold.")
    ]
    exits: Exits
    risk: CardRisk = CardRisk()
    activation: Activation = Activation()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFault:
    """A card that can't be used, as a whole. The assets in `symbols` refuse; with none it is left out."""

    file: str
    path: str
    message: str
    where: str
    symbols: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}: {self.path}: {self.message}" if self.path else f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """All cards of a home, in the order they are asked: priority, then file name."""

    cards: tuple[CardConfig, ...]
    faults: tuple[CardFault, ...]
    by_file: tuple[str, ...] = ()  # the cards' names in the order of their files

    def with_cards(self, cards: Sequence[CardConfig]) -> "Cards":
        """Return these cards instead, in the order they are asked."""
        files = self.by_file or tuple(card.name for card in self.cards)
        ordered = sorted(cards, key=lambda card: (-card.scope.priority, files.index(card.name)))
        return replace(self, cards=tuple(ordered))

    def faults_of(self, symbol: str) -> tuple[CardFault, ...]:
        """Return the broken cards because of which this asset refuses."""
        return tuple(fault for fault in self.faults if symbol in fault.symbols)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """The cards that apply to one asset: for people, and as the kernel takes them."""

    configs: tuple[CardConfig, ...]
    cards: tuple[Card, ...]
    conditions: tuple[Condition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The cards' names in the kernel's order."""
        return tuple(config.name for config in self.configs)


def read_cards(folder: Path, known_symbols: Collection[str] = ()) -> Cards:
    """Read all cards of a folder; a broken one is a fault, only a missing folder raises `ConfigError`.

    With `known_symbols` (the registry's) a scope that names another symbol is a fault.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder of cards; make it, empty if you like")
    good: list[CardConfig] = []
    faults: list[CardFault] = []
    for path in sorted(folder.glob("*.json"), key=lambda each: each.name):
        card, found = _read_card(path, known_symbols, {other.name for other in good})
        faults.extend(found)
        if card is not None and not found:
            good.append(card)
    return Cards(
        cards=tuple(sorted(good, key=lambda card: -card.scope.priority)),  # stable: then by file name
        faults=tuple(faults),
        by_file=tuple(card.name for card in good),
    )


def playbook_of(cards: Cards, asset: AssetConfig) -> Playbook:
    """Return the cards that apply to an asset: in scope and not disabled; shadow cards are among them."""
    configs = tuple(card for card in cards.cards if _applies(card, asset))
    made: list[Card] = []
    conditions: list[Condition] = []
    for config in configs:
        first = len(conditions)
        conditions.extend(_conditions(config.entry))
        middle = len(conditions)
        conditions.extend(_conditions(config.exits.when))
        made.append(_card(config, (first, middle, len(conditions))))
    return Playbook(configs=configs, cards=tuple(made), conditions=tuple(conditions))


def _applies(card: CardConfig, asset: AssetConfig) -> bool:
    scope = card.scope
    return (
        card.status != "disabled"
        and (not scope.symbols or asset.symbol in scope.symbols)
        and (not scope.timeframes or asset.base_timeframe in scope.timeframes)
    )


def _card(config: CardConfig, bounds: tuple[int, int, int]) -> Card:
    scope, exits, risk, activation = config.scope, config.exits, config.risk, config.activation
    stop, target, trail = _distance(exits.stop), _distance(exits.target), _distance(exits.trailing)
    return Card(
        status=STATUSES[config.status],
        regimes=_mask(scope.regimes),
        directions=DIRECTIONS[scope.direction],
        own_direction=1 if scope.follows == "entry" else 0,
        priority=scope.priority,
        entry_first=bounds[0],
        entry_end=bounds[1],
        exit_first=bounds[1],
        exit_end=bounds[2],
        stop_atr=stop[0],
        stop_range=stop[1],
        stop_frac=stop[2],
        target_atr=target[0],
        target_range=target[1],
        target_frac=target[2],
        trail_atr=trail[0],
        trail_range=trail[1],
        trail_frac=trail[2],
        max_hold_bars=exits.max_hold_bars,
        min_confidence=NEVER if exits.min_confidence is None else exits.min_confidence,
        size_factor=risk.size_factor,
        max_notional_quote=risk.max_notional_quote or 0.0,
        trades_per_day=risk.trades_per_day,
        min_trades=activation.min_trades,
        min_pf=activation.min_pf,
        max_drawdown_frac=activation.max_drawdown_frac or 0.0,
    )


def _mask(regimes: tuple[str, ...]) -> int:
    return sum(1 << REGIMES.index(name) for name in set(regimes)) or ALL_REGIMES


def _distance(distance: Distance | None) -> tuple[float, float, float]:
    if distance is None:
        return (0.0, 0.0, 0.0)
    return (distance.atr or 0.0, distance.range or 0.0, distance.frac or 0.0)


def _conditions(configs: tuple[ConditionConfig, ...]) -> list[Condition]:
    made = []
    for config in configs:
        code = SIGNAL_CODE[config.signal]
        directional = 1 if SIGNALS[code].kind == DIRECTIONAL else 0
        for name, compare in COMPARISONS.items():
            value = getattr(config, name)
            if value is not None:
                made.append(Condition(code, directional, compare, value))
    return made


def _read_card(
    path: Path, known_symbols: Collection[str], taken: set[str]
) -> tuple[CardConfig | None, list[CardFault]]:
    try:
        source = read_source(path)
        value = parse_members(source.text, source.name)
    except ConfigError as error:
        where, _, message = str(error).partition(": ")
        return None, [CardFault(file=path.name, path="", message=message, where=where, symbols=())]
    card, problems = check(CardConfig, value, whole_file=True)
    if card is not None:
        problems = (*_unknown_symbols(card, known_symbols), *problems)
        if card.name in taken:
            problems = (*problems, Problem(("name",), f'"{card.name}" is the name of another card too'))
    return card, [_fault(path, value, problem, source) for problem in problems]


def _unknown_symbols(card: CardConfig, known: Collection[str]) -> tuple[Problem, ...]:
    if not known:
        return ()
    return tuple(
        Problem(("scope", "symbols", place), f'no asset "{symbol}" in the registry; {advice(symbol, known)}')
        for place, symbol in enumerate(card.scope.symbols)
        if symbol not in known
    )


def _fault(path: Path, value: Any, problem: Problem, source: Source) -> CardFault:
    return CardFault(
        file=path.name,
        path=dotted(problem.path),
        message=problem.message,
        where=problem.where(source),
        symbols=_symbols(value),
    )


def _symbols(value: Any) -> tuple[str, ...]:
    """Return the symbols that even a broken card names readably."""
    scope = value.get("scope") if isinstance(value, dict) else None
    symbols = scope.get("symbols") if isinstance(scope, dict) else None
    return tuple(each for each in symbols if isinstance(each, str)) if isinstance(symbols, list) else ()
