"""Thresholds and weights of the decision: one versioned set for all coins, or one of a coin's own."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from engine_alpha.config.checking import OneOf, Strict, require
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import REGIMES, VOTES
from engine_alpha.kernel.values import Parameters

DEFAULT = "default"

_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=100)]


class VoteWeights(Strict):
    """How much each bucket's vote counts in one regime; a bucket with weight 0 has no say."""

    momentum: Weight
    reversion: Weight
    flow: Weight
    positioning: Weight
    breakout: Weight

    @model_validator(mode="after")
    def _some(self) -> "VoteWeights":
        if not any(self.as_row()):
            raise ValueError("at least one vote needs a weight above 0")
        return self

    def as_row(self) -> tuple[float, float, float, float, float]:
        """Return the weights in the order of codes.VOTES."""
        return (self.momentum, self.reversion, self.flow, self.positioning, self.breakout)


class RegimeWeights(Strict):
    """Vote weights for every regime."""

    trend_up: VoteWeights
    trend_down: VoteWeights
    high_vol: VoteWeights
    chop: VoteWeights

    def as_rows(self) -> tuple[tuple[float, ...], ...]:
        """Return the rows in the order of codes.REGIMES."""
        return (
            self.trend_up.as_row(),
            self.trend_down.as_row(),
            self.high_vol.as_row(),
            self.chop.as_row(),
        )


class ParametersConfig(Strict):
    """What a parameters file says. All keys must be there: a set is adopted as a whole."""

    version: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Named in every decision record."),
    ]
    trend_on: Annotated[Share, Field(description="|trend score| at which a trend begins ...")]
    trend_off: Annotated[Share, Field(description="... and at or below which it ends.")]
    volatile_on: Annotated[Share, Field(description="Volatility rank at which high_vol begins ...")]
    volatile_off: Annotated[Share, Field(description="... and at or below which it ends.")]
    regimes_allowed: Annotated[
        tuple[Annotated[str, OneOf(REGIMES)], ...],
        Field(strict=False, min_length=1, description="No entry in any other regime."),
    ]
    neutral_zone: Annotated[Share, Field(description="A score no larger than this is no direction.")]
    confidence_min: Annotated[Share, Field(description="Least confidence of an entry, before drawdown.")]
    weights: Annotated[RegimeWeights, Field(description="Weights of the five votes, for every regime.")]

    @model_validator(mode="after")
    def _off_below_on(self) -> "ParametersConfig":
        for name in ("trend", "volatile"):
            on, off = getattr(self, f"{name}_on"), getattr(self, f"{name}_off")
            if not off < on:
                raise ValueError(f"{name}_off ({off:g}) must be less than {name}_on ({on:g})")
        return self


def parameters_of(folder: Path, symbol: str) -> tuple[str, Parameters]:
    """Return version and values for a symbol: SYMBOL.json where it is there, else default.json.

    A file of its own that is broken is an error; the default never stands in for it.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(f'{folder}: "{symbol}" is no symbol; 2 to 20 capital letters and digits')
    own = folder / f"{symbol}.json"
    # A dangling link counts as there: reading it then says what is wrong.
    return read_parameters(own if own.exists() or own.is_symlink() else folder / f"{DEFAULT}.json")


def read_parameters(path: Path) -> tuple[str, Parameters]:
    """Read one set; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    config = require(ParametersConfig, parse_members(source.text, source.name), source)
    return config.version, as_parameters(config)


def as_parameters(config: ParametersConfig) -> Parameters:
    """Return the set as the kernel takes it."""
    return Parameters(
        trend_on=config.trend_on,
        trend_off=config.trend_off,
        volatile_on=config.volatile_on,
        volatile_off=config.volatile_off,
        regimes_allowed=sum(1 << REGIMES.index(name) for name in set(config.regimes_allowed)),
        neutral_zone=config.neutral_zone,
        confidence_min=config.confidence_min,
        weights=config.weights.as_rows(),
    )


# The two models spell out what the kernel knows by number; a regime or vote more there must be added here.
if tuple(RegimeWeights.model_fields) != REGIMES or tuple(VoteWeights.model_fields) != VOTES:
    raise AssertionError("parameters.py and kernel/codes.py name different regimes or votes")
