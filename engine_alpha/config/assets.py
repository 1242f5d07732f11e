"""The asset registry: which coins may be traded, and how."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from engine_alpha.config.checking import OneOf, Problem, Strict, check, given_twice, nearest
from engine_alpha.config.reading import Source, dotted, parse_members, read_source
from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.home import current_home

__all__ = [
    "QUOTES",
    "RISK_BUCKETS",
    "VENUES",
    "AssetConfig",
    "AssetEntry",
    "AssetFault",
    "Registry",
    "get_asset",
    "get_enabled_assets",
    "load_all_assets",
    "read_registry",
]

VENUES = ("bybit", "binance")
QUOTES = ("USDT",)
RISK_BUCKETS = ("core", "large_alt", "aggressive", "alt", "spec", "meme")

_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")
_log = logging.getLogger("chloe.config")


class AssetEntry(Strict):
    """One registry entry; its symbol is the key above it."""

    enabled: Annotated[bool, Field(description="Whether this asset trades: the only switch.")]
    base_timeframe: Annotated[
        str, OneOf(tuple(TIMEFRAME_MS)), Field(description="Length of the bars that are decided on.")
    ]
    venue: Annotated[str, OneOf(VENUES), Field(description="Exchange that gives prices and takes orders.")]
    risk_bucket: Annotated[str, OneOf(RISK_BUCKETS), Field(description="Which caps of risk.json apply.")]
    quote_ccy: Annotated[str, OneOf(QUOTES), Field(description="Currency of prices and end of the symbol.")]
    max_leverage: Annotated[
        float, Field(gt=0, le=125, description="Largest notional over the sub-account's equity.")
    ]
    min_notional_usd: Annotated[float, Field(ge=0, description="Smallest entry, in quote currency.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFault:
    """A registry entry that can't be used: that asset refuses, the others run.

    `path` is the dotted key path, `where` is file:line:column; `enabled`: does the entry ask to trade?
    """

    symbol: str
    path: str
    message: str
    where: str
    enabled: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.path}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What a registry file says: the good assets in its order, and what is wrong with the others."""

    assets: tuple[AssetConfig, ...]
    faults: tuple[AssetFault, ...]


def known_symbols(registry: Registry, contracts: Iterable[str]) -> list[str]:
    """Return what a card may name: the registry's assets, refused ones too, and all contracts known of.

    Shipped cards name coins. One that is taken out of the registry must not break them for the others; a
    symbol that no venue knows is a mistake.
    """
    registered = [asset.symbol for asset in registry.assets] + [fault.symbol for fault in registry.faults]
    return list(dict.fromkeys([*registered, *contracts]))


def load_all_assets() -> list[AssetConfig]:
    """Read the current home's registry and return its good assets in order; log the bad ones."""
    registry = read_registry(current_home().registry)
    for fault in registry.faults:
        _log.error("%s refuses: %s", fault.symbol, fault)
    return list(registry.assets)


def get_enabled_assets() -> list[AssetConfig]:
    """Return the assets that are switched on, in the registry's order."""
    return [asset for asset in load_all_assets() if asset.enabled]


def get_asset(symbol: str) -> AssetConfig | None:
    """Return one asset, enabled or not; None if the registry has no good entry for it."""
    return next((asset for asset in load_all_assets() if asset.symbol == symbol), None)


def read_registry(path: Path) -> Registry:
    """Read a registry; raise `ConfigError` only if the file as a whole can't be read or parsed."""
    return parse_registry(read_source(path))


def parse_registry(source: Source) -> Registry:
    """Turn a registry's text into assets and faults; see `read_registry`."""
    entries = parse_members(source.text, source.name)
    if not isinstance(entries, dict):
        raise ConfigError(f"{source.where(())}: the registry must be an object of assets {{...}}")
    assets: list[AssetConfig] = []
    faults: list[AssetFault] = []
    repeated = getattr(entries, "repeated", ())
    for symbol, entry in entries.items():
        if symbol == "$schema":
            continue
        asset, problems = _asset(symbol, entry)
        if symbol in repeated:
            problems = (given_twice(()), *problems)
        if asset is not None and not problems:
            assets.append(asset)
        faults.extend(_fault(symbol, entry, problem, source) for problem in problems)
    return Registry(assets=tuple(assets), faults=tuple(faults))


def _asset(symbol: str, entry: Any) -> tuple[AssetConfig | None, tuple[Problem, ...]]:
    good, problems = check(AssetEntry, entry)
    if not _SYMBOL.fullmatch(symbol):
        shape = f'is no symbol: 2 to 20 capital letters and digits, for example "{_as_symbol(symbol)}"'
        return None, (Problem((), shape), *problems)
    if good is None:
        return None, problems
    if not symbol.removesuffix(good.quote_ccy) or not symbol.endswith(good.quote_ccy):
        problems += (Problem(("quote_ccy",), f'the symbol must end with "{good.quote_ccy}"'),)
    return AssetConfig(symbol=symbol, **good.model_dump()), problems


def _as_symbol(text: str) -> str:
    letters = re.sub(r"[^A-Z0-9]", "", text.upper().split(":")[0])[:20]
    return letters if letters.endswith(QUOTES) and letters not in QUOTES else "ETHUSDT"


def _fault(symbol: str, entry: Any, problem: Problem, source: Source) -> AssetFault:
    return AssetFault(
        symbol=symbol,
        path=dotted((symbol, *problem.path)),
        message=problem.message,
        where=problem.where(source, (symbol,)),
        enabled=isinstance(entry, dict) and entry.get("enabled") is True,
    )


def unknown_symbol(symbol: str, registry: Registry, path: Path) -> ConfigError:
    """Return the error for a symbol the registry lacks, with the nearest one it has."""
    known = [asset.symbol for asset in registry.assets]
    guess = nearest(symbol, known)
    hint = f"did you mean {guess}?" if guess else f"it has {', '.join(known)}"
    return ConfigError(f"{path}: no asset {symbol}; {hint}")
