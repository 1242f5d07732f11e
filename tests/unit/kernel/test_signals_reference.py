"""Signals against published vectors and against plain formulas written out independently of TA-Lib."""

import numpy as np
import pytest
import talib

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.kernel.indicators import power_of_two
from engine_alpha.kernel.signals import SIGNAL_CODE, SIGNALS
from tests.makers import HOUR_MS, random_bars, signal_table
from tests.unit.kernel.scenes import eight_hourly

# StockCharts' RSI(14) and EMA(10) tables, Tulip's 15-bar vector (reference/domain-and-oracles.md §2.2)
RSI_CLOSES = """
44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328
45.6140 46.2820 46.2820 46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515
45.7835 45.3548 44.0288 44.1783 44.2181 44.5672 43.4205 42.6628 43.1314
"""
RSI_14 = """
70.53 66.32 66.55 69.41 66.36 57.97 62.93 63.26 56.06 62.38 54.71 50.42 39.99 41.46 41.87 45.46
37.30 33.08 37.77
"""
EMA_CLOSES = """
22.27 22.19 22.08 22.17 22.18 22.13 22.23 22.43 22.24 22.29 22.15 22.39 22.38 22.61 23.36 24.05
23.75 23.83 23.95 23.63 23.82 23.87 23.65 23.19 23.10 23.33 22.68 23.10 22.40 22.17
"""
EMA_10 = """
22.22 22.21 22.24 22.27 22.33 22.52 22.80 22.97 23.13 23.28 23.34 23.43 23.51 23.53 23.47 23.40
23.39 23.26 23.23 23.08 22.92
"""
TULIP_CLOSES = "81.59 81.06 82.87 83.00 83.61 83.15 82.84 83.99 84.55 84.36 85.53 86.54 86.89 87.77 87.29"
TULIP_RSI_5 = "72.034 64.927 75.936 79.796 74.713 83.033 87.478 88.755 91.483 78.498"

NO_FUNDING = Funding()


def numbers(text: str) -> np.ndarray:
    return np.array([float(word) for word in text.split()])


def bars_of_closes(closes: np.ndarray) -> Bars:
    count = len(closes)
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=np.arange(count, dtype=np.int64) * HOUR_MS,
        open=closes,
        high=closes,
        low=closes,
        close=closes,
        volume=np.ones(count),
    )


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, SIGNAL_CODE[name]]


def test_rsi_14_agrees_with_stockcharts() -> None:
    table = signal_table(bars_of_closes(numbers(RSI_CLOSES)), NO_FUNDING)
    rsi = 50.0 + 50.0 * column(table, "rsi_centred")
    assert np.isnan(rsi[:14]).all()
    assert np.round(rsi[14:], 2).tolist() == numbers(RSI_14).tolist()


def test_rsi_5_by_the_same_route_agrees_with_tulip() -> None:
    rsi = 50.0 + 0.5 * talib.CMO(numbers(TULIP_CLOSES), 5)
    assert np.round(rsi[5:], 3).tolist() == numbers(TULIP_RSI_5).tolist()


def test_ema_10_agrees_with_stockcharts() -> None:
    ema = talib.EMA(numbers(EMA_CLOSES), 10)
    assert np.isnan(ema[:9]).all()
    assert ema[9:] == pytest.approx(numbers(EMA_10), abs=0.0051)


def test_ema_is_seeded_with_the_mean_of_its_first_values() -> None:
    assert talib.EMA(np.arange(10.0), 3)[2:].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


def test_every_signal_has_its_own_name_and_code() -> None:
    assert len(SIGNAL_CODE) == len(SIGNALS) == 28
    assert [SIGNALS[code].name for code in SIGNAL_CODE.values()] == list(SIGNAL_CODE)


def test_after_the_warm_up_every_price_signal_is_known() -> None:
    bars = random_bars(960, seed=3)
    table = signal_table(bars, eight_hourly(bars))
    assert np.isfinite(table[512:]).all()


@pytest.mark.parametrize("count", [0, 1, 2, 14, 48, 121, 481, 505, 506, 512])
def test_a_short_window_gives_unknown_signals_and_no_error(count: int) -> None:
    table = signal_table(random_bars(520).between(0, (400_000 + count) * HOUR_MS), NO_FUNDING)
    assert table.shape == (count, len(SIGNALS))
    assert np.isnan(column(table, "funding_pressure")).all()


# ------------------------------------------------------------------ plain formulas, one bar at a time


class Plain:
    """The formulas of DESIGN §5 and domain-and-oracles §2.1 on plain loops."""

    def __init__(self, bars: Bars) -> None:
        self.h, self.l, self.c, self.v = bars.high, bars.low, bars.close, bars.volume
        before = self.c[:-1]
        spread = self.h[1:] - self.l[1:]
        true = np.maximum(spread, np.maximum(abs(self.h[1:] - before), abs(self.l[1:] - before)))
        self.tr = np.concatenate([[np.nan], true])

    def ema(self, n: int) -> np.ndarray:
        out = np.full(len(self.c), np.nan)
        out[n - 1] = self.c[:n].mean()
        for t in range(n, len(self.c)):
            out[t] = out[t - 1] + 2.0 / (n + 1) * (self.c[t] - out[t - 1])
        return out

    def atr(self, n: int = 14) -> np.ndarray:
        out = np.full(len(self.c), np.nan)
        out[n] = self.tr[1 : n + 1].mean()
        for t in range(n + 1, len(self.c)):
            out[t] = (out[t - 1] * (n - 1) + self.tr[t]) / n
        return out

    def channel(self, t: int, n: int) -> float:
        top, bottom = self.h[t - n : t].max(), self.l[t - n : t].min()
        return 2.0 * (self.c[t] - bottom) / (top - bottom) - 1.0

    def efficiency(self, t: int, n: int) -> float:
        return (self.c[t] - self.c[t - n]) / abs(np.diff(self.c[t - n : t + 1])).sum()

    def momentum(self, t: int, n: int) -> float:
        return (self.c[t] - self.c[t - n]) / (self.tr[t - 335 : t + 1].mean() * n**0.5)

    def vwap(self, t: int, n: int) -> float:
        span = slice(t - n + 1, t + 1)
        typical = (self.h[span] + self.l[span] + self.c[span]) / 3.0
        return (typical * self.v[span]).sum() / self.v[span].sum()

    def money_flow(self, t: int, n: int) -> float:
        span = slice(t - n + 1, t + 1)
        h, low, c = self.h[span], self.l[span], self.c[span]
        return (((c - low) - (h - c)) / (h - low) * self.v[span]).sum() / self.v[span].sum()

    def rank(self, t: int, n: int = 384) -> float:
        means = np.array([self.tr[i - 23 : i + 1].mean() for i in range(t - n, t + 1)])
        return float((means[:-1] < means[-1]).sum()) / n


@pytest.fixture(scope="module")
def random() -> tuple[np.ndarray, Plain]:
    bars = random_bars(700, seed=11)
    return signal_table(bars, NO_FUNDING), Plain(bars)


PLACES = [512, 555, 640, 699]


def test_atr_is_wilders_mean_of_true_ranges(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    assert column(table, "atr_14")[14:] == pytest.approx(plain.atr()[14:], rel=1e-10)


@pytest.mark.parametrize(
    ("name", "fast", "slow"), [("ema_spread_12_26", 12, 26), ("ema_spread_20_40", 20, 40)]
)
def test_ema_spreads_are_in_atr(random: tuple[np.ndarray, Plain], name: str, fast: int, slow: int) -> None:
    table, plain = random
    wanted = (plain.ema(fast) - plain.ema(slow)) / plain.atr()
    assert column(table, name)[slow:] == pytest.approx(wanted[slow:], rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("span", [24, 48, 120, 240, 480])
def test_a_channel_excludes_the_bar_itself(random: tuple[np.ndarray, Plain], span: int) -> None:
    table, plain = random
    seen = column(table, f"channel_{span}")
    assert np.isnan(seen[:span]).all()
    assert seen[span:] == pytest.approx(
        [plain.channel(t, span) for t in range(span, 700)], rel=1e-10, abs=1e-12
    )
    assert (abs(seen[span:]) > 1.0).any()  # so that a breakout can be seen at all


@pytest.mark.parametrize("span", [48, 240])
def test_efficiency_is_net_change_over_path(random: tuple[np.ndarray, Plain], span: int) -> None:
    table, plain = random
    seen = column(table, f"efficiency_{span}")
    assert seen[span:] == pytest.approx(
        [plain.efficiency(t, span) for t in range(span, 700)], rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("span", [24, 72, 168, 336])
def test_momentum_is_change_in_mean_ranges(random: tuple[np.ndarray, Plain], span: int) -> None:
    table, plain = random
    seen = column(table, f"momentum_{span}")[PLACES]
    assert seen == pytest.approx([plain.momentum(t, span) for t in PLACES], rel=1e-9)


def test_vwap_distance_is_in_atr(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    wanted = [(plain.c[t] - plain.vwap(t, 120)) / plain.atr()[t] for t in PLACES]
    assert column(table, "vwap_distance_120")[PLACES] == pytest.approx(wanted, rel=1e-9)


def test_money_flow_is_chaikins(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    assert column(table, "money_flow_48")[PLACES] == pytest.approx(
        [plain.money_flow(t, 48) for t in PLACES], rel=1e-9
    )


def test_bollinger_and_volume_z_use_population_deviations(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    for t in PLACES:
        near = plain.c[t - 19 : t + 1]
        volumes = plain.v[t - 119 : t + 1]
        assert column(table, "bollinger_z")[t] == pytest.approx(
            (near[-1] - near.mean()) / near.std(), rel=1e-7
        )
        assert column(table, "bollinger_width")[t] == pytest.approx(4 * near.std() / plain.atr()[t], rel=1e-7)
        assert column(table, "volume_z_120")[t] == pytest.approx(
            (volumes[-1] - volumes.mean()) / volumes.std(), rel=1e-7
        )


def test_volatility_is_ranked_among_the_384_bars_before(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    seen = column(table, "volatility_rank_384")
    assert np.isnan(seen[:408]).all()
    assert seen[408:] == pytest.approx([plain.rank(t) for t in range(408, 700)], abs=1e-12)


def test_volatility_ratio_and_range_are_means_of_true_ranges(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    for t in PLACES:
        short, long = plain.tr[t - 23 : t + 1].mean(), plain.tr[t - 335 : t + 1].mean()
        assert column(table, "range_336")[t] == pytest.approx(long, rel=1e-10)
        assert column(table, "volatility_ratio")[t] == pytest.approx(short / long, rel=1e-10)


def test_macd_and_directional_movement_are_talibs_in_atr_and_fractions() -> None:
    bars = random_bars(600, seed=4)
    table = signal_table(bars, NO_FUNDING)
    price = (bars.high, bars.low, bars.close)
    macd = talib.MACD(bars.close, 12, 26, 9)[2] / talib.ATR(*price, 14)
    spread = (talib.PLUS_DI(*price, 14) - talib.MINUS_DI(*price, 14)) / 100.0
    assert column(table, "macd_histogram")[40:] == pytest.approx(macd[40:], rel=1e-9, abs=1e-12)
    assert column(table, "adx")[40:] == pytest.approx(talib.ADX(*price, 14)[40:] / 100.0, rel=1e-9)
    assert column(table, "di_spread")[40:] == pytest.approx(spread[40:], rel=1e-9, abs=1e-12)


def test_trend_score_is_half_efficiency_half_spread(random: tuple[np.ndarray, Plain]) -> None:
    table, plain = random
    for t in PLACES:
        spread = (plain.ema(20)[t] - plain.ema(40)[t]) / plain.atr()[t]
        wanted = (np.clip(2.0 * plain.efficiency(t, 240), -1, 1) + np.clip(spread, -1, 1)) / 2.0
        assert column(table, "trend_score")[t] == pytest.approx(wanted, rel=1e-8, abs=1e-12)


def test_funding_pressure_is_the_last_3_over_the_size_of_the_last_21() -> None:
    bars = random_bars(600, seed=5)
    funding = eight_hourly(bars, seed=9)
    seen = column(signal_table(bars, funding), "funding_pressure")
    for t in (200, 333, 599):
        rates = funding.rate_frac[funding.settled_ms <= bars.close_ms[t]]
        assert seen[t] == pytest.approx(rates[-3:].mean() / abs(rates[-21:]).mean(), rel=1e-9)
    twentieth_ms = funding.settled_ms[20]
    assert np.isnan(seen[bars.close_ms < twentieth_ms]).all()
    assert np.isfinite(seen[bars.close_ms >= twentieth_ms]).all()


def test_funding_that_was_never_paid_says_nothing() -> None:
    bars = random_bars(600)
    funding = eight_hourly(bars)
    silent = Funding(settled_ms=funding.settled_ms, rate_frac=np.zeros(len(funding.settled_ms)))
    assert np.isnan(column(signal_table(bars, silent), "funding_pressure")).all()


@pytest.mark.parametrize(
    ("value", "unit"), [(1.0, 1.0), (1.5, 1.0), (2.0, 2.0), (65_000.0, 32_768.0), (0.09, 0.0625), (0.0, 1.0)]
)
def test_the_unit_brings_a_price_between_1_and_2(value: float, unit: float) -> None:
    assert power_of_two(value) == unit


def test_a_price_without_a_unit_is_left_alone() -> None:
    assert power_of_two(float("nan")) == power_of_two(float("inf")) == power_of_two(-3.0) == 1.0
