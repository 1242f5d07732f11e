"""Where the kernel's numbers become a venue's: the one place for exact decimal strings."""

from decimal import Decimal

from engine_alpha.errors import BrokenPromise

OFF_GRID = Decimal("1e-6")  # of a step: more is no rounding of a double


def exact(value: float, step: str) -> str:
    """Return a value that lies on the grid of `step` as the exact decimal a venue takes.

    Raise `BrokenPromise` for a value off the grid: it was never rounded where it should have been.
    """
    grid = Decimal(step)
    steps = (Decimal(repr(value)) / grid).to_integral_value()
    on_grid = steps * grid
    if abs(Decimal(repr(value)) - on_grid) > OFF_GRID * grid:
        raise BrokenPromise(f"{value!r} is not on the grid of {step}")
    return plain(on_grid)


def nearest(value: float, step: str) -> str:
    """Return the nearest decimal on the grid of `step`, above 0: a price may be older than today's grid."""
    grid = Decimal(step)
    return plain(max((Decimal(repr(value)) / grid).to_integral_value(), Decimal(1)) * grid)


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without trailing zeros: 0.010 is "0.01", zero "0"."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def added(first: str, second: Decimal) -> str:
    """Return the sum as a plain string."""
    return plain(Decimal(first) + second)
