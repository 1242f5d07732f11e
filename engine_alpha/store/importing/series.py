"""Which series rows belong to: what they say of themselves, what the caller says, and whether both agree."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Ints
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.importing.naming import (
    BINANCE,
    BINANCE_SPOT,
    CANDLES,
    FUNDING,
    MARK,
    PERPETUAL,
    SPOT,
    Label,
    symbol_in,
    timeframe_in,
    venue_in,
)
from engine_alpha.store.importing.rows import VOLUME, Rows, Wishes
from engine_alpha.store.months import FUNDING as FUNDING_SERIES
from engine_alpha.store.months import MARK as MARK_PREFIX

CONFLICT: Final = "conflict"
NOT_USABLE: Final = "not_usable"
FEW_ROWS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """A series of the store: its folder is venue/symbol/series."""

    venue: str
    symbol: str
    series: str

    @property
    def timeframe_ms(self) -> int:
        """Length of its bars; 0 for funding."""
        return 0 if self.series == FUNDING_SERIES else TIMEFRAME_MS[self.series.removeprefix(MARK_PREFIX)]

    @property
    def is_mark(self) -> bool:
        """Say whether these are mark prices."""
        return self.series.startswith(MARK_PREFIX)

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol} {self.series}"


def wished_label(
    *, venue: str | None, market: str | None, symbol: str | None, timeframe: str | None, kind: str | None
) -> Label:
    """Return what the caller says as a label; raise `ConfigError` for what there is not.

    Venues may go by the names of stored series: BINANCEUM and BYBIT are perpetuals, BINANCE is Binance spot.
    """
    exchange = None
    if venue is not None:
        found = venue_in(venue)
        if found is None:
            raise ConfigError(
                f'no venue "{venue}": Chloe knows bybit and binance (perpetuals) and BINANCE (Binance spot); '
                "to keep candles of another exchange as if they were theirs, name one of them"
            )
        exchange, named = found
        if named and market and named != market:
            raise ConfigError(f"--venue {venue} is the {named} market, --market says {market}: leave out one")
        market = market or named
    plain = symbol_in(symbol) if symbol is not None else None
    if plain is not None and not (plain.isascii() and plain.isalnum() and 2 <= len(plain) <= 20):
        raise ConfigError(f'--symbol "{symbol}" is no symbol; write for example --symbol ETHUSDT')
    if timeframe is not None and timeframe_in(timeframe) is None:
        raise ConfigError(f'no timeframe "{timeframe}"; there are {", ".join(TIMEFRAME_MS)}')
    return Label(
        venue=exchange,
        market=market,
        symbol=plain,
        timeframe=timeframe_in(timeframe) if timeframe else None,
        kind=kind,
    )


def key_of(rows: Rows, wishes: Wishes) -> Key:
    """Return the series of these rows; what can't be told, or contradicts itself, is refused by name."""
    wished = wishes.label
    told = wished.over(rows.told)
    if told.refused:
        raise DataError(NOT_USABLE, f"{rows.source}: {told.refused}")
    kind = _kind(rows, told)
    symbol = told.symbol
    # Where nothing says otherwise, a venue that the caller names is meant as Chloe trades it.
    market = told.market or (PERPETUAL if kind in (MARK, FUNDING) or wished.venue else None)
    if told.venue is None or symbol is None or market is None:
        raise _question(rows.source, told.venue, symbol, market)
    return Key(
        venue=_stored_venue(rows, wished, kind, (told.venue, market)),
        symbol=symbol,
        series=FUNDING_SERIES
        if kind == FUNDING
        else (MARK_PREFIX if kind == MARK else "") + _timeframe(rows, wished),
    )


def _question(source: str, venue: str | None, symbol: str | None, market: str | None) -> ConfigError:
    """Ask for what can't be told; whoever names the venue names the market with it."""
    asked = []
    if venue is None:
        asked.append(
            ("venue", "--venue bybit or --venue binance for a perpetual, --venue BINANCE for Binance spot")
        )
    elif market is None:
        asked.append(("market", "--market perpetual or --market spot"))
    if symbol is None:
        asked.append(("symbol", "--symbol and, for example, ETHUSDT"))
    names, options = zip(*asked, strict=True)
    return ConfigError(f"{source}: can't tell its {' and '.join(names)}: say {'; '.join(options)}")


def _kind(rows: Rows, told: Label) -> str:
    """Return candles, mark or funding; without any volume it must have been said that candles are meant."""
    traded = VOLUME in rows.columns and bool((rows.columns[VOLUME] > 0.0).any())
    if told.kind == MARK and traded:
        raise DataError(
            CONFLICT,
            f"{rows.source}: mark prices have no volume, these have: say --kind candles if it is right",
        )
    if told.kind is None and not traded:
        raise ConfigError(
            f"{rows.source}: no row has a volume: say --kind mark for mark prices, else --kind candles"
        )
    return told.kind or CANDLES


def _stored_venue(rows: Rows, wished: Label, kind: str, place: tuple[str, str]) -> str:
    """Return what the store calls a market; one it has no place for is refused."""
    exchange, market = place
    seen = rows.told.market
    if seen and seen != market:
        raise DataError(
            CONFLICT,
            f"{rows.source}: {market} candles are wanted, name or content say {seen}; say --market {seen}, "
            "or rename the file if its name is wrong",
        )
    if market == SPOT and kind != CANDLES:
        raise DataError(CONFLICT, f"{rows.source}: a spot market has no {kind}; say --market perpetual")
    if (exchange, market) == (BINANCE, SPOT):
        return BINANCE_SPOT
    if market == SPOT:
        raise DataError(NOT_USABLE, f"{rows.source}: spot candles of {exchange} have no place in Chloe")
    return exchange


def _timeframe(rows: Rows, wished: Label) -> str:
    """Return the timeframe: what was said, if the rows' distances allow it, else what these tell."""
    step, usual = _distances(rows.times_ms)
    named = wished.timeframe or rows.told.timeframe
    if named is None:
        return _timeframe_of_distance(rows.source, step, usual)
    length = TIMEFRAME_MS.get(named)
    if length is None:
        raise DataError(
            NOT_USABLE, f"{rows.source}: bars of {named} can't be stored; there are {', '.join(TIMEFRAME_MS)}"
        )
    sparse = step > length and wished.timeframe is None and len(rows.times_ms) >= FEW_ROWS
    if 0 < step < length or sparse:
        who = "--timeframe" if wished.timeframe else "its name"
        seen = f"but its rows are {_span(step)} apart: {_remedy(step, length)}"
        raise DataError(CONFLICT, f"{rows.source}: {who} says {named}, {seen}")
    return named


def _remedy(step: int, length: int) -> str:
    found = _known(step)
    if found:
        return f"say --timeframe {found} if that is right"
    return "look at its times" if step < length else "say --timeframe if rows are missing from it"


def _distances(times_ms: Ints) -> tuple[int, bool]:
    """Return the smallest distance between neighbours in ms, 0 if there is none, and whether most have it."""
    steps = np.diff(np.unique(times_ms))
    if len(steps) == 0:
        return 0, False
    step = int(steps.min())
    return step, len(steps) >= FEW_ROWS - 1 and bool(2 * np.count_nonzero(steps == step) > len(steps))


def _timeframe_of_distance(source: str, step: int, usual: bool) -> str:
    found = _known(step)
    if not usual:
        raise ConfigError(f"{source}: can't tell its timeframe: say --timeframe, for example 1h")
    if found is None:
        raise DataError(
            NOT_USABLE,
            f"{source}: bars of {_span(step)} can't be stored; there are {', '.join(TIMEFRAME_MS)}",
        )
    return found


def _known(length_ms: int) -> str | None:
    return next((name for name, length in TIMEFRAME_MS.items() if length == length_ms), None)


def _span(length_ms: int) -> str:
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if length_ms and length_ms % size == 0:
            return f"{length_ms // size} {unit}"
    return f"{length_ms} ms"
