"""Configuration under the names of its files: the kernel's numbers as the keys a person would edit."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine_alpha.backtest.verifying.findings import Change
from engine_alpha.config.cards import COMPARISONS, FOLLOWS, STATUSES
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.instrument import Instrument
from engine_alpha.kernel.codes import DIRECTIONS, REGIMES, VOTES
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import Card, Condition, Parameters, Risk

Keys = Mapping[str, Any]

_NOT_IN_RISK_FILE = ("account_start_quote", "bucket_cap_frac")
_DIRECTION = {code: name for name, code in DIRECTIONS.items()}
_STATUS = {code: name for name, code in STATUSES.items()}
_COMPARISON = {code: name for name, code in COMPARISONS.items()}
_SHARE_DIGITS = 12  # a share is found by division


def changed_keys(then: Keys, now: Keys) -> tuple[Change, ...]:
    """Return the keys whose values differ; None stands for a key that is not there."""
    return tuple(
        Change(key=key, then=then.get(key), now=now.get(key))
        for key in dict.fromkeys((*then, *now))
        if then.get(key) != now.get(key)
    )


def registry_keys(asset: AssetConfig) -> Keys:
    """Return a registry entry's keys; what only switches it on and off is no difference."""
    return {name: value for name, value in asdict(asset).items() if name not in ("symbol", "enabled")}


def risk_keys(risk: Risk, start_quote: float, bucket: str) -> Keys:
    """Return the keys of risk.json behind an asset's limits; its sub-account begins with `start_quote`."""
    keys = {name: value for name, value in risk._asdict().items() if name not in _NOT_IN_RISK_FILE}
    share = round(start_quote / risk.account_start_quote, _SHARE_DIGITS) if risk.account_start_quote else None
    return {
        "equity_quote": risk.account_start_quote,
        f"buckets.{bucket}.share_frac": share,
        f"buckets.{bucket}.cap_frac": risk.bucket_cap_frac,
        **keys,
    }


def parameters_keys(version: str, parameters: Parameters) -> Keys:
    """Return the keys of a parameters file."""
    keys = {name: value for name, value in parameters._asdict().items() if name != "weights"}
    weights = {
        f"weights.{regime}.{vote}": value
        for regime, row in zip(REGIMES, parameters.weights, strict=True)
        for vote, value in zip(VOTES, row, strict=True)
    }
    return {"version": version, **keys, "regimes_allowed": _regimes(parameters.regimes_allowed), **weights}


def instrument_keys(instrument: Instrument) -> Keys:
    """Return the keys of an instrument, one for each tier."""
    keys = asdict(instrument)
    tiers = {f"tiers[{place}]": tier for place, tier in enumerate(keys.pop("tiers"))}
    return {**keys, **tiers}


def card_keys(card: Card, conditions: tuple[Condition, ...]) -> Keys:
    """Return a card's keys; `conditions` are its own, those of the entry first."""
    return {
        "status": _STATUS[card.status],
        "scope.regimes": _regimes(card.regimes),
        "scope.direction": _DIRECTION[card.directions],
        "scope.follows": FOLLOWS[card.own_direction],
        "scope.priority": card.priority,
        "entry": _conditions(conditions[: card.entry_end - card.entry_first]),
        "exits.when": _conditions(conditions[card.entry_end - card.entry_first :]),
        **_distance("stop", (card.stop_atr, card.stop_range, card.stop_frac)),
        **_distance("target", (card.target_atr, card.target_range, card.target_frac)),
        **_distance("trailing", (card.trail_atr, card.trail_range, card.trail_frac)),
        "exits.max_hold_bars": card.max_hold_bars,
        "exits.min_confidence": card.min_confidence if card.min_confidence >= -1.0 else None,
        "risk.size_factor": card.size_factor,
        "risk.max_notional_quote": card.max_notional_quote or None,
        "risk.trades_per_day": card.trades_per_day,
        "activation.min_trades": card.min_trades,
        "activation.min_pf": card.min_pf,
        "activation.max_drawdown_frac": card.max_drawdown_frac or None,
    }


def _distance(name: str, values: tuple[float, float, float]) -> Keys:
    return {
        f"exits.{name}.{unit}": value or None
        for unit, value in zip(("atr", "range", "frac"), values, strict=True)
    }


def _regimes(mask: int) -> tuple[str, ...]:
    return tuple(name for code, name in enumerate(REGIMES) if mask & 1 << code)


def _conditions(conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    return tuple(f"{SIGNALS[one.signal].name} {_COMPARISON[one.compare]} {one.value:g}" for one in conditions)
