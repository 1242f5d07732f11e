"""Dated snapshots of what venues say about their contracts: grid, minimums, tiers, fees, listing dates."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from engine_alpha.atomic_files import write_atomically
from engine_alpha.config.assets import VENUES, AssetConfig
from engine_alpha.config.checking import OneOf, Strict, advice, require
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.domain.instrument import Instrument, Tier
from engine_alpha.errors import ConfigError

# maker, taker: DESIGN §5. What ccxt has for Bybit is stale.
FEES_FRAC = {"bybit": ("0.0002", "0.00055"), "binance": ("0.0002", "0.0005")}

MOST_FEE_FRAC = Decimal("0.05")
"""No venue takes as much for a fill: more is percent or basis points where a fraction belongs."""

_DATA_VENUES = {"BYBIT": "bybit", "BINANCEUM": "binance", "BINANCE": "binance"}
_FILE = re.compile(r"(?P<venue>[a-z]+)_(?P<as_of>\d{4}-\d{2}-\d{2})\.json")
_CUM_TOLERANCE = Decimal("0.01")

Amount = Annotated[str, Field(pattern=r"^(0|[1-9]\d*)(\.\d+)?$")]


class TierEntry(Strict):
    """One maintenance tier, in exact decimals."""

    floor_quote: Amount
    rate_frac: Amount
    deduction_quote: Amount
    max_leverage: Amount


class InstrumentEntry(Strict):
    """One contract as a snapshot keeps it, in exact decimals."""

    tick_quote: Amount
    lot_base: Amount
    min_quantity_base: Amount
    min_notional_quote: Amount
    max_market_quantity_base: Amount
    maker_fee_frac: Amount
    taker_fee_frac: Amount
    listed_ms: int | None
    settled_ms: int | None
    successor: str | None
    tiers: Annotated[tuple[TierEntry, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _sound(self) -> "InstrumentEntry":
        zero = [name for name in ("tick_quote", "lot_base") if Decimal(getattr(self, name)) <= 0]
        fees = ("maker_fee_frac", "taker_fee_frac")
        steep = [name for name in fees if Decimal(getattr(self, name)) > MOST_FEE_FRAC]
        fault = f"{zero[0]} must be greater than 0" if zero else tier_fault(self.tiers)
        if steep:
            fault = f"{steep[0]} must be at most {MOST_FEE_FRAC}: it is a fraction, 0.055 % is 0.00055"
        if fault:
            raise ValueError(fault)
        return self


class Snapshot(Strict):
    """What one venue said on one day."""

    venue: Annotated[str, OneOf(VENUES)]
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    source: str
    notes: Annotated[tuple[str, ...], Field(strict=False)]
    instruments: dict[str, InstrumentEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentChange:
    """One difference between two snapshots; `field` is None where the whole contract came or went."""

    symbol: str
    field: str | None
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.field is None:
            return f"{self.symbol}: {'new' if self.before is None else 'gone'}"
        return f"{self.symbol}.{self.field}: {self.before} -> {self.after}"


def tier_fault(tiers: tuple[TierEntry, ...]) -> str | None:
    """Say what is wrong with a tier table: floors and rates rise, 0 < rate < 0.6, deductions join the tiers.

    deduction_k = deduction_{k-1} + floor_k (rate_k - rate_{k-1}), so that the margin has no step.
    """
    wanted, before = Decimal(0), None
    for place, tier in enumerate(tiers):
        floor, rate = Decimal(tier.floor_quote), Decimal(tier.rate_frac)
        if not 0 < rate < Decimal("0.6"):
            return f"tiers[{place}].rate_frac must lie between 0 and 0.6 (a fraction), not {rate}"
        if before is None and floor != 0:
            return f"tiers[0].floor_quote must be 0, not {floor}"
        if before is not None and not (floor > before[0] and rate >= before[1]):
            return f"tiers[{place}]: floors and rates must rise"
        wanted += floor * (rate - before[1]) if before else 0
        if abs(Decimal(tier.deduction_quote) - wanted) > _CUM_TOLERANCE:
            return f"tiers[{place}].deduction_quote must be {wanted}, not {tier.deduction_quote}"
        before = (floor, rate)
    return None


def with_deductions(rows: list[tuple[str, str, str]]) -> tuple[TierEntry, ...]:
    """Return tiers from (floor, rate, largest leverage), deductions computed."""
    tiers: list[TierEntry] = []
    total, before = Decimal(0), Decimal(0)
    for floor, rate, leverage in rows:
        if tiers:
            total += Decimal(floor) * (Decimal(rate) - before)
        before = Decimal(rate)
        tiers.append(
            TierEntry(floor_quote=floor, rate_frac=rate, deduction_quote=plain(total), max_leverage=leverage)
        )
    return tuple(tiers)


def load_instruments(directory: Path, venue: str) -> dict[str, Instrument]:
    """Return a venue's contracts by symbol, from its newest snapshot."""
    return instruments_in(read_snapshot(newest_snapshot(directory, venue)))


def known_contracts(directory: Path) -> list[str]:
    """Return the symbols of all contracts in the newest snapshots of all venues."""
    snapshots = [read_snapshot(newest_snapshot(directory, venue)) for venue in VENUES]
    return [symbol for snapshot in snapshots for symbol in snapshot.instruments]


def instruments_in(snapshot: Snapshot) -> dict[str, Instrument]:
    """Return a snapshot's contracts by symbol."""
    venue = snapshot.venue
    return {symbol: _instrument(venue, symbol, entry) for symbol, entry in snapshot.instruments.items()}


def snapshot_of(
    venue: str, as_of: str, instruments: Iterable[Instrument], notes: tuple[str, ...] = ()
) -> Snapshot:
    """Return contracts as the snapshot of a day, read from the venue's API; fees are the standard ones."""
    return Snapshot(
        venue=venue,
        as_of=as_of,
        source=f"{venue} API",
        notes=notes,
        instruments={each.symbol: _entry(each) for each in instruments},
    )


def newest_snapshot(directory: Path, venue: str) -> Path:
    """Return the file of the venue's newest snapshot; raise `ConfigError` if there is none."""
    named = [found for path in directory.glob("*.json") if (found := _FILE.fullmatch(path.name))]
    dates = sorted(found["as_of"] for found in named if found["venue"] == venue)
    if not dates:
        raise ConfigError(f"{directory}: no snapshot of {venue} (a file {venue}_YYYY-MM-DD.json)")
    return directory / f"{venue}_{dates[-1]}.json"


def read_snapshot(path: Path) -> Snapshot:
    """Read one snapshot; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    snapshot = require(Snapshot, parse_members(source.text, source.name), source)
    if path.name != f"{snapshot.venue}_{snapshot.as_of}.json":
        raise ConfigError(f"{path}: holds {snapshot.venue} as of {snapshot.as_of}; name it so")
    return snapshot


def write_snapshot(directory: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot under its own name and return that file."""
    path = directory / f"{snapshot.venue}_{snapshot.as_of}.json"
    text = json.dumps(snapshot.model_dump(), indent=2, ensure_ascii=False)
    one_line = re.sub(r"\{\s*(\"floor_quote\"[^{}]*?)\s*\}", _joined, text)
    write_atomically(path, (one_line + "\n").encode())
    return path


def entry_from_market(market: Mapping[str, Any], venue: str, tiers: tuple[TierEntry, ...]) -> InstrumentEntry:
    """Turn a market as ccxt describes it into an entry, from the exchange's own strings in `info`."""
    info = market["info"]
    if venue == "bybit":
        lots, tick = info["lotSizeFilter"], info["priceFilter"]["tickSize"]
        step, least, most = lots["qtyStep"], lots["minOrderQty"], lots["maxMktOrderQty"]
        notional, listed, ended = lots["minNotionalValue"], info["launchTime"], info["deliveryTime"]
    else:
        filters = {each["filterType"]: each for each in info["filters"]}
        lots, market_lots = filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
        step, least, most = lots["stepSize"], lots["minQty"], market_lots["maxQty"]
        tick, notional = filters["PRICE_FILTER"]["tickSize"], filters["MIN_NOTIONAL"]["notional"]
        listed, ended = info["onboardDate"], info["deliveryDate"]
    never = 4_000_000_000_000  # Binance's date for contracts without end lies in 2100
    maker, taker = FEES_FRAC[venue]
    return InstrumentEntry(
        tick_quote=tick,
        lot_base=step,
        min_quantity_base=least,
        min_notional_quote=notional,
        max_market_quantity_base=most,
        maker_fee_frac=maker,
        taker_fee_frac=taker,
        listed_ms=int(listed) or None,
        settled_ms=int(ended) if 0 < int(ended) < never else None,
        successor=None,
        tiers=tiers,
    )


def diff_instruments(old: Mapping[str, Instrument], new: Mapping[str, Instrument]) -> list[InstrumentChange]:
    """Return what changed from one snapshot's contracts to another's, by symbol, then field."""
    changes: list[InstrumentChange] = []
    for symbol in sorted(old.keys() | new.keys()):
        before, after = old.get(symbol), new.get(symbol)
        if before is None or after is None:
            changes.append(InstrumentChange(symbol=symbol, field=None, before=before, after=after))
            continue
        for name in (field.name for field in fields(Instrument)):
            was, now = getattr(before, name), getattr(after, name)
            if was != now:
                changes.append(InstrumentChange(symbol=symbol, field=name, before=was, after=now))
    return changes


def venue_of_data(name: str) -> str:
    """Return the venue whose contracts a stored series follows: BINANCEUM and BINANCE are binance."""
    venue = name.lower() if name.lower() in VENUES else _DATA_VENUES.get(name.upper())
    if venue is None:
        raise ConfigError(f'no venue "{name}"; {advice(name, [*VENUES, *_DATA_VENUES])}')
    return venue


def is_spot_data(name: str) -> bool:
    """Say whether a stored series is spot: it traded before the contract whose rules stand in for it.

    BINANCE names Binance's spot series, binance the contracts of the venue of that id.
    """
    return name == "BINANCE"


def instrument_of(instruments: Mapping[str, Instrument], asset: AssetConfig) -> Instrument:
    """Return the asset's contract; raise `ConfigError` if the venue's snapshot has none."""
    found = instruments.get(asset.symbol)
    if found is None:
        raise ConfigError(
            f"{asset.symbol}: the snapshot of {asset.venue} in config/instruments has no such contract; "
            f"{advice(asset.symbol, instruments)}"
        )
    return found


def listing_fault(instrument: Instrument, now_ms: int) -> str | None:
    """Say why the contract can't be traded at that time; None if it can."""
    if instrument.settled_ms is not None and now_ms >= instrument.settled_ms:
        successor = f", successor {instrument.successor}" if instrument.successor else ""
        return f"settled {_day(instrument.settled_ms)}{successor}"
    if instrument.listed_ms is not None and now_ms < instrument.listed_ms:
        return f"listed only on {_day(instrument.listed_ms)}"
    return None


def require_listed(instruments: Mapping[str, Instrument], asset: AssetConfig, now_ms: int) -> None:
    """Raise `ConfigError` if the asset can't be enabled at that time."""
    fault = listing_fault(instrument_of(instruments, asset), now_ms)
    if fault:
        raise ConfigError(f"{asset.symbol} can't be enabled on {asset.venue}: {fault}")


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instrument(venue: str, symbol: str, entry: InstrumentEntry) -> Instrument:
    values = {name: getattr(entry, name) for name in InstrumentEntry.model_fields if name != "tiers"}
    values |= {name: float(values[name]) for name in ("maker_fee_frac", "taker_fee_frac")}
    tiers = tuple(
        Tier(**{name: float(value) for name, value in tier.model_dump().items()}) for tier in entry.tiers
    )
    return Instrument(venue=venue, symbol=symbol, tiers=tiers, **values)


def _entry(instrument: Instrument) -> InstrumentEntry:
    values = {name: getattr(instrument, name) for name in InstrumentEntry.model_fields if name != "tiers"}
    values |= {name: _exact(values[name]) for name in ("maker_fee_frac", "taker_fee_frac")}
    tiers = tuple(
        TierEntry(**{field.name: _exact(getattr(tier, field.name)) for field in fields(Tier)})
        for tier in instrument.tiers
    )
    return InstrumentEntry(tiers=tiers, **values)


def _exact(number: float) -> str:
    return plain(Decimal(repr(number)))


def _joined(match: re.Match[str]) -> str:
    return "{ " + re.sub(r"\s*\n\s*", " ", match.group(1)) + " }"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
