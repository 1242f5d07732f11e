"""Configuration under which a trade is worth the same R whatever happened before: cards alone are measured.

R is net over the risk at the first stop, and both grow with the quantity, so the size of a trade does not
change its R as long as it stays in the contract's first maintenance tier. What would tie one trade to the
others is taken away: compounding, caps, pauses after losses, floors and halts. What a trade costs, what its
bars must look like and the wait after an exit stay as configured.
"""

from dataclasses import replace

from engine_alpha.config.cards import Activation, CardConfig, Cards
from engine_alpha.config.risk import RiskConfig
from engine_alpha.plans.setup import Setup

START_QUOTE = 1e7
"""Every sub-account begins with so much ..."""
RISK_QUOTE = 50.0
"""... and risks so much a trade: far above a venue's minimums, in the first tier for stops beyond 0.5 %."""
SHARE_FRAC = 1e-3
MOST = 100.0  # the largest cap that risk.json takes
NEVER_TRADES = 1_000_000


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
    """Return the card at full size whatever its own record says; its entries a day stay limited."""
    risk = card.risk.model_copy(update={"size_factor": 1.0, "max_notional_quote": None})
    return card.model_copy(update={"risk": risk, "activation": Activation()})


def neutral_setup(setup: Setup) -> Setup:
    """Return the setup with neutral limits and neutral cards; which cards trade stays as it is."""
    cards = tuple(neutral_card(card) for card in setup.cards.cards)
    return replace(
        setup,
        risk=neutral_risk(setup.risk),
        cards=Cards(cards=cards, faults=setup.cards.faults),
        made={},
    )


def shadowed_setup(setup: Setup) -> Setup:
    """Return the neutral setup with all cards that are not disabled as shadows: each has its own account."""
    neutral = neutral_setup(setup)
    cards = tuple(
        card if card.status == "disabled" else card.model_copy(update={"status": "shadow"})
        for card in neutral.cards.cards
    )
    return replace(neutral, cards=Cards(cards=cards, faults=neutral.cards.faults), made={})
