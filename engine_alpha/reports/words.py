"""Numbers and times as people read them. None is unknown; fractions become percent only here."""

import math
from datetime import UTC, datetime
from typing import Any

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.times import clock_time, minute

DAY_MS = 86_400_000
UNKNOWN = "unknown"
NOTHING = "–"


def clock(at_ms: int, now_ms: int) -> str:
    """Return the time of day, UTC, the date of another day: 14:00, 11-25."""
    return clock_time(at_ms) if 0 <= now_ms - at_ms < DAY_MS else minute(at_ms)[5:10]


def day(at_ms: int | None) -> str:
    """Return the date, UTC; a dash for None."""
    return NOTHING if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def held(span_ms: int) -> str:
    """Return a span of time in its best unit: 45 min, 13 h, 2.5 d."""
    minutes = span_ms // 60_000
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 2_880 else f"{minutes / 1_440:.1f} d"


def number(value: Any, digits: int = 8) -> str:
    """Return a number with so many significant digits; NaN and None are unknown."""
    if value is None or value != value:
        return UNKNOWN
    if isinstance(value, str):
        return "no limit" if value == "inf" else value
    if math.isinf(value):
        return "no limit"
    return f"{value:.{digits}g}"


def price(value: float) -> str:
    """Return a price with all its digits and no exponent."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text if abs(value) >= 1e-9 else "0"


def money(value: float) -> str:
    """Return an amount with two decimals and thousands apart."""
    return f"{_tidy(value):,.2f}"


def gain(value: float) -> str:
    """Return an amount with its sign; zero has none."""
    tidy = _tidy(value)
    return f"{tidy:+,.2f}" if tidy else "0.00"


def _tidy(value: float) -> float:
    """Return the amount rounded to cents, never minus zero."""
    return round(value, 2) + 0.0


def percent(frac: float | None, decimals: int = 1) -> str:
    """Return a fraction in percent."""
    return NOTHING if frac is None else f"{round(frac * 100, decimals) + 0.0:.{decimals}f} %"


def multiple_of_risk(value: float | None) -> str:
    """Return a result in R, the loss at the first stop."""
    return NOTHING if value is None else f"{value:+.2f}"


def factor(found: ProfitFactor) -> str:
    """Return a profit factor with its number of trades."""
    if found.value is None:
        return "unknown (n=0)"
    if math.isinf(found.value):
        return f"no losses in {found.trades}"
    return f"{found.value:.2f} (n={found.trades})"


def factor_value(found: ProfitFactor) -> str:
    """Return a profit factor alone, for a table that has a column for n."""
    if found.value is None:
        return UNKNOWN
    return "no losses" if math.isinf(found.value) else f"{found.value:.2f}"


def interval(found: ProfitFactor) -> str:
    """Return the 95 % interval; a dash where it is undefined."""
    if found.low is None or found.high is None:
        return NOTHING
    return f"{_bound(found.low)} – {_bound(found.high)}"


def _bound(value: float) -> str:
    return f"{value:.2f}" if value < 100 else "> 100"


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return "1 bar", "2 bars"."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def plain(value: Any) -> Any:
    """Return what JSON can hold: NaN becomes None, infinity "inf", tuples lists."""
    if isinstance(value, float):
        if value != value:
            return None
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def factor_fields(found: ProfitFactor) -> dict[str, Any]:
    """Return a profit factor as JSON has it."""
    return {
        "value": plain(found.value),
        "n": found.trades,
        "low": found.low,
        "high": plain(found.high),
        "win_frac": found.win_frac,
        "gross_profit_quote": found.gross_profit_quote,
        "gross_loss_quote": found.gross_loss_quote,
    }
