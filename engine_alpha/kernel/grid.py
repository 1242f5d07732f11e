"""The venue's grid: the one place where prices and quantities are rounded."""

from engine_alpha.kernel.values import Risk

NUDGE = 1e-9  # of a step: 0.3 / 0.1 is 2.9999999999999996 and means 3
ROUNDING = 4e-16  # of the number of steps, for many of them


def floor_to(value: float, step: float, steps_per_unit: float) -> float:
    """Return the largest multiple of `step` not above `value`, as the double nearest its decimal."""
    steps = value / step
    return on_grid(steps + (NUDGE + ROUNDING * abs(steps)), step, steps_per_unit)


def ceil_to(value: float, step: float, steps_per_unit: float) -> float:
    """Return the smallest multiple of `step` not below `value`."""
    return -floor_to(-value, step, steps_per_unit)


def on_grid(steps: float, step: float, steps_per_unit: float) -> float:
    """Return floor(steps) steps as a value; dividing by a whole number of steps per unit rounds best."""
    whole = steps // 1.0
    if steps_per_unit > 0.0:
        return whole / steps_per_unit
    return whole * step


def steps_per_unit(step: float) -> float:
    """Return 1 / step where it is whole (0.01 -> 100.0), else 0.0."""
    if not step > 0.0:
        return 0.0
    inverse = float(round(1.0 / step))
    if inverse >= 1.0 and abs(inverse * step - 1.0) < 1e-9:
        return inverse
    return 0.0


def cost_frac(risk: Risk) -> float:
    """Return what one market order loses against the quoted price: slippage and half the spread."""
    return (risk.slippage_bps + risk.spread_bps * 0.5) * 0.0001
