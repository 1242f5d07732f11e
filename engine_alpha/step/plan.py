"""Everything configuration says about one asset at this tick, ready for the kernel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.instrument import Instrument
from engine_alpha.kernel.codes import ACTIVE, SHADOW
from engine_alpha.kernel.values import Card, Condition, Rules, Tally
from engine_alpha.step.state import AssetState, HeldCard

KEPT = "kept with the position"
NEVER = 0  # a status that is neither active nor shadow: kept for its exits only


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPlan:
    """One asset's rules with the names of its cards, and the hash of all of it.

    `rules.cards` stand in the order of `names`; `parameters_version` names the adopted parameter set.
    `detail` is the timeframe of the series that tells what came first inside a bar, None for none.
    `close_only` is why a real position may not be opened now, "" where it may; `size_factor` is the part of
    its usual risk that a real entry takes.
    """

    asset: AssetConfig
    instrument: Instrument
    rules: Rules
    names: tuple[str, ...]
    parameters_version: str
    config_hash: str
    detail: str | None = None
    close_only: str = ""
    size_factor: float = 1.0

    def deciding_rules(self) -> Rules:
        """Return the rules with the size factor in what is risked; records keep them as configured."""
        if self.size_factor == 1.0:
            return self.rules
        risk = self.rules.risk
        return self.rules._replace(risk=risk._replace(risk_frac=risk.risk_frac * self.size_factor))

    def tallies(self, state: AssetState) -> list[Tally]:
        """Return what each card did, in the order of the cards."""
        return [state.tally(name) for name in self.names]

    def shadow_names(self) -> list[str]:
        """Return the names of the cards that are decided but never traded."""
        return [
            name for name, card in zip(self.names, self.rules.cards, strict=True) if card.status == SHADOW
        ]

    def only(self, name: str) -> "AssetPlan":
        """Return the plan of one shadow card alone, as if it were active."""
        card = self.rules.cards[self.names.index(name)]._replace(status=ACTIVE)
        return replace(self, rules=self.rules._replace(cards=(card,)), names=(name,))

    def held(self, index: int) -> HeldCard:
        """Return a card with its own conditions, to be kept with a position."""
        card = self.rules.cards[index]
        conditions = self.rules.conditions[card.entry_first : card.entry_end]
        exits = self.rules.conditions[card.exit_first : card.exit_end]
        own = card._replace(
            entry_first=0,
            entry_end=len(conditions),
            exit_first=len(conditions),
            exit_end=len(conditions) + len(exits),
        )
        return HeldCard(
            name=self.names[index],
            card=own,
            conditions=(*conditions, *exits),
            asset=self.rules.asset,
            risk=self.rules.risk,
            parameters=self.rules.parameters,
            parameters_version=self.parameters_version,
            instrument=self.instrument,
        )

    def holding(self, held: HeldCard | None) -> tuple["AssetPlan", int]:
        """Return a plan that contains the held card, and its index there (0 where none is held).

        The file's version counts while it is there; a card that is gone keeps its exits and never fires.
        """
        if held is None:
            return self, 0
        if held.name in self.names:
            return self, self.names.index(held.name)
        rules = _appended(self.rules, held.card, held.conditions)
        return replace(self, rules=rules, names=(*self.names, held.name)), len(self.names)


def kept_plan(asset: AssetConfig, held: HeldCard) -> AssetPlan:
    """Return a plan that only gets flat, from what was kept with the position: for when files are broken."""
    card = held.card._replace(status=NEVER)
    return AssetPlan(
        asset=replace(asset, enabled=False),
        instrument=held.instrument,
        rules=Rules(held.asset, held.risk, held.parameters, (card,), held.conditions),
        names=(held.name,),
        parameters_version=held.parameters_version,
        config_hash=KEPT,
    )


def _appended(rules: Rules, card: Card, conditions: tuple[Condition, ...]) -> Rules:
    start = len(rules.conditions)
    moved = card._replace(
        status=NEVER,
        entry_first=start + card.entry_first,
        entry_end=start + card.entry_end,
        exit_first=start + card.exit_first,
        exit_end=start + card.exit_end,
    )
    return rules._replace(cards=(*rules.cards, moved), conditions=(*rules.conditions, *conditions))


def renumbered(state: AssetState, index: int) -> AssetState:
    """Return the state with its position and pending entry pointing at the card's index in this plan."""
    sub = state.sub
    if sub.position.side != 0:
        sub = sub._replace(position=sub.position._replace(card=index))
    if sub.pending.side != 0:
        sub = sub._replace(pending=sub.pending._replace(card=index))
    return replace(state, sub=sub)


def with_tallies(
    names: tuple[str, ...], tallies: list[Tally], before: Mapping[str, Tally]
) -> dict[str, Tally]:
    """Return all tallies by name; a card that is not in the plan now keeps what it had."""
    return {
        **before,
        **{name: tally for name, tally in zip(names, tallies, strict=True) if tally.day or tally.trades},
    }
