"""Parts of configuration by their hashes: what the files say now, and what the journal tells of then."""

from dataclasses import asdict, dataclass, field
from typing import Any

from engine_alpha.backtest.verifying.replay import ALLOCATION, DECIDED, OWN, SPREAD, Decided
from engine_alpha.domain.instrument import Instrument
from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.kernel.values import Card, Condition, Parameters, Risk
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.recording import part_hash
from engine_alpha.step.state import HeldCard, written_parameters

DIGITS = 8  # of each part's hash
REGISTRY, RISK, PARAMETERS, INSTRUMENT, CARDS = 0, 1, 2, 3, 4  # places of the parts, cards from the last on

RISK_LIMITS = {
    "data_complete": "filled_limit_frac",
    "no_cooldown": "cooldown_bars",
    "no_loss_cluster": "cluster_losses",
    "pf_floor": "pf_floor",
    "drawdown_band": "drawdown_limit_frac",
    "spread": "max_spread_bps",
    "daily_loss": "daily_loss_frac",
    "drawdown_halt": "drawdown_halt_frac",
    "max_positions": "max_positions",
    "bucket_cap": "bucket_cap_frac",
    "exposure_cap": "exposure_cap_frac",
    "correlation_cap": "heat_cap_frac",
}
PARAMETER_LIMITS = {"regime_allowed": "regimes_allowed", "outside_neutral_zone": "neutral_zone"}
"""Settings that every decision records, as the limit of a gate."""

OwnRisk = tuple[Risk, float]
Adopted = tuple[str, Parameters]
OwnCard = tuple[Card, tuple[Condition, ...]]


@dataclass(slots=True)
class Library:
    """Parts of configuration under the hashes that decisions record of them."""

    risks: dict[str, OwnRisk] = field(default_factory=dict)
    adopted: dict[str, Adopted] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    cards: dict[str, OwnCard] = field(default_factory=dict)

    def add_held(self, held: HeldCard) -> None:
        """Take in what a position carries."""
        self.add_risk(held.risk, held.asset.start_quote)
        self.add_parameters(held.parameters_version, held.parameters)
        self.add_card(held.card, held.conditions)
        self.instruments[part_hash(asdict(held.instrument))] = held.instrument

    def add_plan(self, plan: AssetPlan) -> None:
        """Take in what the files say of one asset."""
        self.add_risk(plan.rules.risk, plan.rules.asset.start_quote)
        self.add_parameters(plan.parameters_version, plan.rules.parameters)
        self.instruments[part_hash(asdict(plan.instrument))] = plan.instrument
        for place in range(len(plan.names)):
            held = plan.held(place)
            self.add_card(held.card, held.conditions)

    def add_recorded(self, plan: AssetPlan, decided: Decided) -> None:
        """Take in limits as the gates of a decision recorded them, on top of those of now."""
        start_quote = decided.payload["after"]["sub"][0]
        self.add_risk(risk_as_recorded(plan.rules.risk, decided), start_quote)
        parameters = parameters_as_recorded(plan.rules.parameters, decided)
        self.add_parameters(decided.payload["parameters"], parameters)

    def add_risk(self, risk: Risk, start_quote: float) -> None:
        """Take in limits, and the equity that a sub-account begins with."""
        self.risks[part_hash(risk, start_quote)] = (risk, start_quote)

    def add_parameters(self, version: str, parameters: Parameters) -> None:
        """Take in a parameter set."""
        self.adopted[part_hash(version, written_parameters(parameters))] = (version, parameters)

    def add_card(self, card: Card, conditions: tuple[Condition, ...]) -> None:
        """Take in a card with its own conditions."""
        self.cards[part_hash(card, conditions)] = (card, conditions)


def split(parts: str) -> tuple[str, ...]:
    """Return the hashes of the parts of a configuration."""
    return tuple(parts[first : first + DIGITS] for first in range(0, len(parts), DIGITS))


def parts_of(decided: Decided) -> tuple[str, ...]:
    """Return the hashes that a decision recorded; none where it was written before Chloe kept them."""
    return split(decided.payload.get("config_parts", ""))


def risk_as_recorded(now: Risk, decided: Decided) -> Risk:
    """Return limits with those of them that the decision's gates recorded."""
    risk: Risk = _as_recorded(now, RISK_LIMITS, decided)
    risk = risk._replace(account_start_quote=decided.payload["account_after"]["start_quote"])
    return risk if decided.quoted else risk._replace(spread_bps=decided.seen(SPREAD))


def parameters_as_recorded(now: Parameters, decided: Decided) -> Parameters:
    """Return parameters with those of them that the decision's gates recorded."""
    parameters: Parameters = _as_recorded(now, PARAMETER_LIMITS, decided)
    least = _limits(decided)["confidence_min"]
    if no_drawdown(decided) and isinstance(least, float):
        parameters = parameters._replace(confidence_min=least)
    return parameters


def no_drawdown(decided: Decided) -> bool:
    """Say whether `confidence_min` was recorded as it is; drawdown raises it."""
    return decided.seen(OWN_GATES.index("drawdown_band")) == 0.0


def _limits(decided: Decided) -> dict[str, Any]:
    decision = decided.payload["record"][DECIDED]
    names = (*OWN_GATES, *ACCOUNT_GATES)
    verdicts = (*decision[OWN], *decision[ALLOCATION])
    return {name: limit for name, (_, _, limit) in zip(names, verdicts, strict=True)}


def _as_recorded(now: Any, fields: dict[str, str], decided: Decided) -> Any:
    limits = _limits(decided)
    known = {name: limits[gate] for gate, name in fields.items() if isinstance(limits[gate], int | float)}
    return now._replace(**{name: type(getattr(now, name))(value) for name, value in known.items()})
