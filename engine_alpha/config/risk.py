"""What may be lost: equity, its split into sub-accounts, and every cap."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from engine_alpha.config.assets import RISK_BUCKETS, AssetConfig
from engine_alpha.config.checking import OneOf, Strict, require
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.kernel.evidence import EvidenceTerms
from engine_alpha.kernel.values import Risk

Share = Annotated[float, Field(gt=0, le=1)]
Cap = Annotated[float, Field(gt=0, le=100)]
Bps = Annotated[float, Field(ge=0, le=1_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]

DETAILS = ("1m",)  # as domain.detail knows them; that one needs NumPy
_ROUNDING = 1e-9


class BucketConfig(Strict):
    """One risk bucket."""

    share_frac: Annotated[Share, Field(description="Each asset's sub-account as a share of the equity.")]
    cap_frac: Annotated[Cap, Field(description="Most notional in the whole bucket over account equity.")]


class EvidenceConfig(Strict):
    """How trades speak for and against an asset, in R: the loss at a trade's first stop."""

    alpha: Annotated[
        float,
        Field(gt=0, le=0.5, description="Most often so that an asset without an edge is called proven."),
    ]
    design_r: Annotated[
        float, Field(gt=0, le=3, description="Mean R that an asset is traded for; 0.17 is about PF 1.3.")
    ]
    halve_after: Annotated[
        float,
        Field(
            gt=1,
            le=1e6,
            description="Size is halved falsely once in so many trades, on average, at most often.",
        ),
    ]
    paper_after: Annotated[
        float,
        Field(
            gt=1, le=1e6, description="And once in so many the asset is falsely taken back to paper, at most."
        ),
    ]
    drawdown_limit_r: Annotated[
        float, Field(gt=0, le=1_000, description="Fall from the best sum of R that takes it back to paper.")
    ]
    daily_loss_limit_r: Annotated[
        float, Field(gt=0, le=1_000, description="Loss of R on one UTC day that takes it back to paper.")
    ]
    unproven_size_factor: Annotated[
        float, Field(gt=0, le=1, description="Part of the usual risk of a coin armed without proof.")
    ]

    @model_validator(mode="after")
    def _paper_after_halving(self) -> "EvidenceConfig":
        if self.paper_after < self.halve_after:
            raise ValueError("paper_after is below halve_after; the size is halved first: raise it")
        return self


class RiskConfig(Strict):
    """What risk.json says. All keys but `detail` must be there: no limit is set out of sight."""

    equity_quote: Annotated[float, Field(gt=0, le=1e12, description="Start of the whole account.")]
    risk_frac: Annotated[
        float,
        Field(gt=0, le=0.1, description="Of the sub-account's equity, lost at the stop, costs included."),
    ]
    buckets: Annotated[
        dict[Annotated[str, OneOf(RISK_BUCKETS)], BucketConfig],
        Field(description="Share and cap for every risk bucket."),
    ]
    exposure_cap_frac: Annotated[Cap, Field(description="Most notional in all assets over account equity.")]
    heat_cap_frac: Annotated[Share, Field(description="Most correlated risk at the stops over equity.")]
    correlation: Annotated[float, Field(ge=0, le=1, description="Assumed between any two coins in stress.")]
    max_positions: Annotated[int, Field(ge=1, le=10_000, description="Most open positions.")]
    daily_loss_frac: Annotated[Share, Field(description="No entry on a UTC day that lost so much.")]
    drawdown_halt_frac: Annotated[Share, Field(description="The account's drawdown that halts all entries.")]
    drawdown_limit_frac: Annotated[
        Share, Field(description="A sub-account's drawdown that ends its entries.")
    ]
    drawdown_tighten: Annotated[
        float, Field(ge=0, le=1, description="How much more confidence is asked for on the way there.")
    ]
    pf_min_trades: Annotated[Count, Field(description="The floor applies from so many closed trades on.")]
    pf_floor: Annotated[float, Field(ge=0, le=10, description="Least profit factor of an asset.")]
    cooldown_bars: Annotated[Count, Field(description="Bars to wait after any exit.")]
    cluster_losses: Annotated[Count, Field(description="So many losses in a row (0: never) pause entries.")]
    cluster_pause_bars: Annotated[Count, Field(description="Length of that pause, from the last exit.")]
    slippage_bps: Annotated[Bps, Field(description="Per side, besides half the spread.")]
    spread_bps: Annotated[Bps, Field(description="Assumed for costs, and where the feed gives none.")]
    max_spread_bps: Annotated[Bps, Field(description="No entry where the spread is wider.")]
    filled_limit_frac: Annotated[
        float, Field(ge=0, lt=1, description="No entry where a larger share of the window's bars is missing.")
    ]
    evidence: Annotated[
        EvidenceConfig, Field(description="What real orders need of an asset's trades, and what ends them.")
    ]
    detail: Annotated[
        Annotated[str, OneOf(DETAILS)] | None,
        Field(description="The series that tells what came first inside a bar; null: stop before target."),
    ] = None

    @model_validator(mode="after")
    def _every_bucket(self) -> "RiskConfig":
        missing = [name for name in RISK_BUCKETS if name not in self.buckets]
        if missing:
            raise ValueError(f"buckets: missing {', '.join(missing)}; add them")
        return self


def read_risk(path: Path) -> RiskConfig:
    """Read risk.json; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    return require(RiskConfig, parse_members(source.text, source.name), source)


def bucket_code(asset: AssetConfig) -> int:
    """Return the kernel's number for the asset's bucket."""
    return RISK_BUCKETS.index(asset.risk_bucket)


def start_quote(config: RiskConfig, asset: AssetConfig) -> float:
    """Return the equity that the asset's sub-account begins with."""
    return config.equity_quote * config.buckets[asset.risk_bucket].share_frac


def shares_fault(config: RiskConfig, assets: Iterable[AssetConfig]) -> str | None:
    """Say what is wrong if the enabled assets' sub-accounts add up to more than there is."""
    total = sum(config.buckets[asset.risk_bucket].share_frac for asset in assets if asset.enabled)
    if total <= 1.0 + _ROUNDING:
        return None
    return (
        f"the sub-accounts of the enabled assets add up to {total:.4g} of the equity; "
        "lower buckets.*.share_frac in risk.json or disable an asset"
    )


def detail_for(config: RiskConfig, asset: AssetConfig) -> str | None:
    """Return the timeframe of the finer series inside the asset's bars; None where it has none."""
    if config.detail is None or asset.timeframe_ms <= TIMEFRAME_MS[config.detail]:
        return None
    return config.detail


def evidence_terms(config: RiskConfig) -> EvidenceTerms:
    """Return what counts as proof and what demotes, as the kernel takes it."""
    wanted = config.evidence
    return EvidenceTerms(
        alpha=wanted.alpha,
        design_r=wanted.design_r,
        halve_after=wanted.halve_after,
        paper_after=wanted.paper_after,
        drawdown_limit_r=wanted.drawdown_limit_r,
        daily_loss_limit_r=wanted.daily_loss_limit_r,
    )


def risk_of(config: RiskConfig, asset: AssetConfig) -> Risk:
    """Return the limits that apply to one asset, as the kernel takes them."""
    return Risk(
        risk_frac=config.risk_frac,
        slippage_bps=config.slippage_bps,
        spread_bps=config.spread_bps,
        max_spread_bps=config.max_spread_bps,
        filled_limit_frac=config.filled_limit_frac,
        cooldown_bars=config.cooldown_bars,
        cluster_losses=config.cluster_losses,
        cluster_pause_bars=config.cluster_pause_bars,
        pf_min_trades=config.pf_min_trades,
        pf_floor=config.pf_floor,
        drawdown_limit_frac=config.drawdown_limit_frac,
        drawdown_tighten=config.drawdown_tighten,
        account_start_quote=config.equity_quote,
        max_positions=config.max_positions,
        daily_loss_frac=config.daily_loss_frac,
        drawdown_halt_frac=config.drawdown_halt_frac,
        bucket_cap_frac=config.buckets[asset.risk_bucket].cap_frac,
        exposure_cap_frac=config.exposure_cap_frac,
        heat_cap_frac=config.heat_cap_frac,
        correlation=config.correlation,
    )
