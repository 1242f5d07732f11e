"""Thresholds, weights and card settings of the decision: one versioned set for all coins, or a coin's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from engine_alpha.config.card_settings import CardSettings
from engine_alpha.config.checking import OneOf, Problem, Strict, require
from engine_alpha.config.reading import Source, parse_members, read_source
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import REGIMES, VOTES
from engine_alpha.kernel.values import Parameters

DEFAULT = "default"

KERNEL = 1
"""What scores and fields mean. Raise it when the same bars give another score: older sets refuse then."""
MOST_ROWS = 16

_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")

Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
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


class Adoption(Strict):
    """Where an adopted set comes from."""

    at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$", description="When, UTC.")]
    night: Annotated[str, Field(min_length=1, max_length=64, description="Whose research proposed it.")]
    proposal_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ParametersConfig(Strict):
    """What a parameters file says. Thresholds and weights must all be there: a set is adopted as a whole."""

    version: Annotated[Version, Field(description="Named in every decision record.")]
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
    calibration: Annotated[
        tuple[Annotated[tuple[Share, Share], Field(strict=False)], ...],
        Field(
            strict=False,
            max_length=MOST_ROWS,
            description="Rows [|score|, confidence], straight lines between; none: confidence is |score|.",
        ),
    ] = ()
    cards: Annotated[
        dict[str, CardSettings],
        Field(default_factory=dict, description="Cards that are used otherwise than their files say."),
    ]
    kernel: Annotated[int, Field(description="What the numbers mean: a set for another kernel refuses.")] = (
        KERNEL
    )
    previous: Annotated[Version | None, Field(description="Replaced by this one; null: the default.")] = None
    adopted: Annotated[Adoption | None, Field(description="Null: written by hand.")] = None

    @field_validator("calibration")
    @classmethod
    def _rising(cls, rows: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for place, (row, after) in enumerate(pairwise(rows), start=1):
            if not row[0] < after[0]:
                raise ValueError(
                    f"[{place}]: |score| must rise from row to row, {after[0]:g} follows {row[0]:g}"
                )
            if not row[1] <= after[1]:
                raise ValueError(f"[{place}]: confidence must not fall, {after[1]:g} follows {row[1]:g}")
        return rows

    @field_validator("kernel")
    @classmethod
    def _this_kernel(cls, kernel: int) -> int:
        if kernel != KERNEL:
            raise ValueError(
                f"written for another kernel ({kernel}, this is {KERNEL}): its numbers mean something else; "
                "let research of this version propose anew"
            )
        return kernel

    @model_validator(mode="after")
    def _off_below_on(self) -> "ParametersConfig":
        for name in ("trend", "volatile"):
            on, off = getattr(self, f"{name}_on"), getattr(self, f"{name}_off")
            if not off < on:
                raise ValueError(f"{name}_off ({off:g}) must be less than {name}_on ({on:g})")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """One version: what the kernel takes, and how its coins use cards otherwise than the files say.

    `source` is the file it was read from; None for one that was made up.
    """

    version: str
    parameters: Parameters
    cards: Mapping[str, CardSettings] = field(default_factory=dict)
    source: Source | None = field(default=None, compare=False, repr=False)

    def fault(self, problems: tuple[Problem, ...]) -> ConfigError:
        """Return what is wrong with its `cards`, each problem with its place."""
        found = [Problem(("cards", *problem.path), problem.message) for problem in problems]
        named = f"parameters {self.version}"
        return ConfigError(
            "\n".join(
                f"{named if self.source is None else each.where(self.source)}: {each}" for each in found
            )
        )


def adopted_set(folder: Path, symbol: str) -> ParameterSet:
    """Return a symbol's set: SYMBOL.json where it is there, else default.json.

    A file of its own that is broken is an error; the default never stands in for it.
    """
    own = own_file(folder, symbol)
    # A dangling link counts as there: reading it then says what is wrong.
    return read_set(own if own.exists() or own.is_symlink() else folder / f"{DEFAULT}.json")


def own_file(folder: Path, symbol: str) -> Path:
    """Return where a symbol's own set is, if it has one."""
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(f'{folder}: "{symbol}" is no symbol; 2 to 20 capital letters and digits')
    return folder / f"{symbol}.json"


def read_set(path: Path) -> ParameterSet:
    """Read one set; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    return set_of(_config(source), source)


def read_config(path: Path) -> ParametersConfig:
    """Read one file as it stands; raise `ConfigError` that lists every problem with its place."""
    return _config(read_source(path))


def _config(source: Source) -> ParametersConfig:
    return require(ParametersConfig, parse_members(source.text, source.name), source)


def parameters_of(folder: Path, symbol: str) -> tuple[str, Parameters]:
    """Return version and values of a symbol's set, without its cards' settings: see `adopted_set`."""
    found = adopted_set(folder, symbol)
    return found.version, found.parameters


def read_parameters(path: Path) -> tuple[str, Parameters]:
    """Return version and values of one set: see `read_set`."""
    found = read_set(path)
    return found.version, found.parameters


def set_of(config: ParametersConfig, source: Source | None = None) -> ParameterSet:
    """Return what a file says as the engine uses it."""
    return ParameterSet(
        version=config.version, parameters=as_parameters(config), cards=config.cards, source=source
    )


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
        calibration=config.calibration,
    )


def hashed_parameters(parameters: Parameters) -> dict[str, Any]:
    """Return what is hashed of a set: no calibration where there is none, as before there was any."""
    fields = parameters._asdict()
    if not parameters.calibration:
        del fields["calibration"]
    return fields


# The two models spell out what the kernel knows by number; a regime or vote more there must be added here.
if tuple(RegimeWeights.model_fields) != REGIMES or tuple(VoteWeights.model_fields) != VOTES:
    raise AssertionError("parameters.py and kernel/codes.py name different regimes or votes")
