"""Configuration under which a trade is worth the same R whatever happened before: cards alone are measured.

R is net over the risk at the first stop, and both grow with the quantity, so the size of a trade does not
change its R as long as it stays in the contract's first maintenance tier. What would tie one trade to the
others is taken away: compounding, caps, pauses after losses, floors and halts. What a trade costs, what its
bars must look like and the wait after an exit stay as configured.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from engine_alpha.config.card_settings import CardSettings
from engine_alpha.config.cards import Activation, CardConfig
from engine_alpha.config.risk import RiskConfig
from engine_alpha.errors import ConfigError
from engine_alpha.plans.setup import Setup

START_QUOTE = 1e7
"""Every sub-account begins with so much ..."""
RISK_QUOTE = 50.0
"""... and risks so much a trade: far above a venue's minimums, in the first tier for stops beyond 0.5 %."""
SHARE_FRAC = 1e-3
MOST = 100.0  # the largest cap that risk.json takes
NEVER_TRADES = 1_000_000
SIZING = ("risk", "activation")  # keys of a card that tie a trade to its size and to earlier ones
PER_DAY = "risk.trades_per_day"
SYMBOLS = "scope.symbols"

Status = Callable[[str], str]


def neutral_risk(risk: RiskConfig) -> RiskConfig:
    """Return the limits without those that depend on earlier trades or on other coins.

    Kept: slippage, spread and its limit, share of missing bars, cooldown, detail, evidence.
    """
    bucket = {"share_frac": SHARE_FRAC, "cap_frac": MOST}
    limits = {
        "equity_quote": START_QUOTE / SHARE_FRAC,
        "risk_frac": RISK_QUOTE / START_QUOTE,
        "buckets": {name: bucket for name in risk.buckets},
        "exposure_cap_frac": MOST,
        "heat_cap_frac": 1.0,
        "correlation": 0.0,
        "max_positions": 10_000,
        "daily_loss_frac": 1.0,
        "drawdown_halt_frac": 1.0,
        "drawdown_limit_frac": 1.0,
        "drawdown_tighten": 0.0,
        "pf_min_trades": NEVER_TRADES,
        "pf_floor": 0.0,
        "cluster_losses": 0,
        "cluster_pause_bars": 0,
    }
    return RiskConfig.model_validate(risk.model_dump() | limits)  # every bound is checked


def neutral_card(card: CardConfig) -> CardConfig:
    """Return the card at full size whatever its own record says; its entries a day stay limited.

    It is measured on every coin: which coins trade it now is what research may propose to change.
    """
    risk = card.risk.model_copy(update={"size_factor": 1.0, "max_notional_quote": None})
    scope = card.scope.model_copy(update={"symbols": ()})
    return card.model_copy(update={"risk": risk, "scope": scope, "activation": Activation()})


def neutral_setup(setup: Setup) -> Setup:
    """Return the setup with neutral limits and neutral cards; which cards trade stays as it is."""
    return _with(setup, neutral_card, None)


def shadowed_setup(setup: Setup) -> Setup:
    """Return the neutral setup with all cards that are not disabled as shadows: each has its own account."""

    def shadowed(card: CardConfig) -> CardConfig:
        status = _shadowed(card.status)
        return neutral_card(card).model_copy(update={"status": status})

    return _with(setup, shadowed, _shadowed)


def _shadowed(status: str) -> str:
    return "disabled" if status == "disabled" else "shadow"


def _with(setup: Setup, change: Callable[[CardConfig], CardConfig], status: Status | None) -> Setup:
    """Return the setup with neutral limits, each card changed, and coins' own settings of cards to match."""
    sets = dict(setup.sets)
    for asset in setup.enabled:
        with suppress(ConfigError):  # the asset's plan says what is wrong with its set
            own = setup.set_of(asset.symbol)
            if own.cards:
                sets[asset.symbol] = replace(own, cards=_settings(own.cards, status))
    cards = setup.cards.with_cards([change(card) for card in setup.cards.cards])
    return replace(setup, risk=neutral_risk(setup.risk), cards=cards, sets=sets, made={})


def _settings(cards: Mapping[str, CardSettings], status: Status | None) -> dict[str, CardSettings]:
    """Return a coin's settings of cards without what sizes, judges and places them, in another status."""
    found: dict[str, CardSettings] = {}
    for name, own in cards.items():
        changes = {
            text: value
            for text, value in own.changes.items()
            if text.split(".")[0] not in SIZING and text != SYMBOLS
        }
        if PER_DAY in own.changes:
            changes[PER_DAY] = own.changes[PER_DAY]
        elif isinstance(own.changes.get("risk"), dict):
            changes[PER_DAY] = own.changes["risk"].get("trades_per_day", 0)
        now = own.status if own.status is None or status is None else status(own.status)
        if now is not None or changes:
            found[name] = CardSettings(status=now, changes=changes)
    return found
