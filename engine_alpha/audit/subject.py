"""What an audit of one asset looks at: files, the record, the bars decided again, the trades."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine_alpha.audit.parity import Parity
from engine_alpha.audit.record import Record
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.plans.setup import Setup
from engine_alpha.step.plan import AssetPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One asset under audit. `size_factor` is the part of its usual size that it would trade with.

    `trades` are those that speak for or against it, oldest first; from `watched_from_ms` on, when it was
    armed, they are watched for a turn, 0 where it is not armed. `key_fault` says why real orders could not be
    signed, "" where they could or where nobody asked.
    """

    setup: Setup
    symbol: str
    stage: str
    record: Record
    parity: Parity
    now_ms: int
    for_live: bool = False
    size_factor: float = 1.0
    trades: tuple[Mapping[str, Any], ...] = ()
    watched_from_ms: int = 0
    key_fault: str = ""

    @property
    def asset(self) -> AssetConfig | None:
        """Return what the registry says; None for an entry that can't be used."""
        return next((one for one in self.setup.registry.assets if one.symbol == self.symbol), None)

    def plan(self) -> AssetPlan | ConfigError:
        """Return the asset's plan, or what keeps the files from making one."""
        asset = self.asset
        if asset is None:
            return ConfigError("; ".join(self.setup.faults_of(self.symbol)) or "not in the registry")
        try:
            return self.setup.plan(asset)
        except ConfigError as fault:
            return fault
