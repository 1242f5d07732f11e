"""What nightly research tries and what it asks of a proposal: config/research.json."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine_alpha.config.checking import Strict, require
from engine_alpha.config.reading import parse_members, read_source

Share = Annotated[float, Field(gt=0, lt=1)]


class SearchConfig(Strict):
    """What is tried: per card the keys that vary, in the words of `chloe sweep --vary`."""

    cards: Annotated[
        dict[str, list[str]],
        Field(description="Card name, and KEY=VALUES of what is varied; [] tries the card as it is."),
    ]
    confidence_min: Annotated[
        list[Annotated[float, Field(ge=0, le=1)]],
        Field(min_length=1, max_length=10, description="Least confidences of an entry to try."),
    ]
    extra_cost_bps: Annotated[
        float,
        Field(ge=0, le=100, description="Per side, on top of all costs, when variants are ranked: turnover."),
    ]
    complexity_penalty: Annotated[
        float,
        Field(ge=0, le=5, description="Off the yearly Sharpe ratio for every key that is not as shipped."),
    ]


class WalkConfig(Strict):
    """How history is cut: the choice for each fold is made on what lies before it."""

    folds: Annotated[int, Field(ge=2, le=50, description="Test folds, one after the other.")]
    first_train_frac: Annotated[Share, Field(description="Part of the history before the first fold.")]
    embargo_days: Annotated[
        int, Field(ge=0, le=365, description="Left out between training and a fold: the longest look-back.")
    ]


class GateConfig(Strict):
    """What a proposal has to show. Every gate must pass."""

    min_trades: Annotated[int, Field(ge=10, le=100_000, description="Out-of-sample trades of a card.")]
    psr_min: Annotated[
        Share, Field(description="Probability that the out-of-sample Sharpe ratio is above 0.")
    ]
    dsr_min: Annotated[Share, Field(description="The same above what the best of all trials shows by luck.")]
    card_psr_min: Annotated[
        Share, Field(description="Least of a card of its own where all that was chosen passes together.")
    ]
    pbo_max: Annotated[
        Share,
        Field(description="Most probability of backtest overfitting of the night, at a loss."),
    ]
    neighbours_frac: Annotated[
        float,
        Field(gt=0, le=1, description="Median Sharpe ratio of the neighbours over that of the choice."),
    ]
    own_edge: Annotated[
        Share, Field(description="Probability that the coin's own mean R, shrunk to all coins', is above 0.")
    ]
    null_rate_max: Annotated[
        Share, Field(description="Most often so that the whole procedure fires on markets without an edge.")
    ]


class NullConfig(Strict):
    """How that rate is measured: on twins of the coins' own history whose returns' signs are shuffled."""

    twins: Annotated[int, Field(ge=20, le=10_000, description="So many twins before the rate counts.")]
    twins_a_night: Annotated[int, Field(ge=0, le=10_000, description="And so many more every night.")]


class ResearchConfig(Strict):
    """What research.json says. All keys must be there."""

    search: SearchConfig
    walk_forward: WalkConfig
    gates: GateConfig
    null: NullConfig
    auto_adopt: Annotated[
        dict[str, Literal["paper"]],
        Field(description='Coins whose passing proposals are adopted by themselves while on paper: "paper".'),
    ]

    @model_validator(mode="after")
    def _lower(self) -> "ResearchConfig":
        if self.gates.card_psr_min > self.gates.psr_min:
            raise ValueError("gates.card_psr_min is above psr_min; a card needs less where all pass together")
        return self

    @model_validator(mode="after")
    def _rising(self) -> "ResearchConfig":
        tried = self.search.confidence_min
        if sorted(set(tried)) != tried:
            raise ValueError("search.confidence_min: write different values, rising")
        return self


def read_research(path: Path) -> ResearchConfig:
    """Read research.json; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    return require(ResearchConfig, parse_members(source.text, source.name), source)
