"""How many steps a sum with drift and noise takes to reach a level: the inverse Gaussian law.

Numbers for reports, never for decisions: the functions written out here are right to about 1e-7.
"""

FAR_STEPS = 1_000_000
E, LN_2 = 2.718281828459045, 0.6931471805599453


def median_steps(level: float, drift: float, deviation: float) -> int | None:
    """Return in how many steps half of all sums have reached `level`; None if not within `FAR_STEPS`.

    `drift` and `deviation` are mean and standard deviation (above 0) of one step.
    """
    if level <= 0.0:
        return 0
    few, many = 0, FAR_STEPS
    if reached_frac(level, drift, deviation, many) < 0.5:
        return None
    while many - few > 1:
        middle = (few + many) // 2
        if reached_frac(level, drift, deviation, middle) < 0.5:
            few = middle
        else:
            many = middle
    return many


def reached_frac(level: float, drift: float, deviation: float, steps: int) -> float:
    """Return the share of sums that have reached `level` within so many steps, as if they were continuous."""
    spread = deviation * steps**0.5
    direct = normal_frac((drift * steps - level) / spread)
    reflected = normal_frac(-(drift * steps + level) / spread)
    return min(1.0, direct + exponential(2.0 * drift * level / deviation**2) * reflected)


def normal_frac(z: float) -> float:
    """Return the share of a standard normal below z (Abramowitz & Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * abs(z))
    series = 1.781477937 + t * (-1.821255978 + t * 1.330274429)
    series = t * (0.319381530 + t * (-0.356563782 + t * series))
    above = 0.3989422804014327 * exponential(-z * z / 2.0) * series
    return 1.0 - above if z >= 0.0 else above


def exponential(x: float) -> float:
    """Return e to the x, neither overflowing nor vanishing."""
    return float(E ** max(-690.0, min(690.0, x)))


def logarithm(x: float) -> float:
    """Return the natural logarithm; minus infinity for what is not above 0."""
    if x <= 0.0:
        return float("-inf")
    halvings = 0
    while x > 1.5:
        x /= 2.0
        halvings += 1
    while x < 0.75:
        x *= 2.0
        halvings -= 1
    part = (x - 1.0) / (x + 1.0)
    power, total = part, 0.0
    for term in range(1, 40, 2):
        total += power / term
        power *= part * part
    return 2.0 * total + halvings * LN_2
