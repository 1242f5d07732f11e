"""`chloe data check` on real files: each bad one is known for what it is, and no good one is stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine_alpha.cli.data_check import ticks_of
from engine_alpha.home import Home
from engine_alpha.store.checking.check import Checking, Report, checked
from engine_alpha.store.checking.subjects import places_in
from engine_alpha.store.importing.rows import Wishes

NOW_MS = 1_790_000_000_000
ROOT = Path(__file__).resolve().parents[2]

Check = Callable[..., list[Report]]


@pytest.fixture
def check(shared_data: Path) -> Check:
    """Check paths of the shared folder, with the ticks of the project's own snapshots."""

    def run(*paths: str, against: str | None = None) -> list[Report]:
        how = Checking(
            wishes=Wishes(),
            now_ms=NOW_MS,
            ticks=ticks_of(Home(ROOT)),
            against=tuple(places_in(shared_data / against)) if against else (),
        )
        places = [place for path in paths for place in places_in(shared_data / path)]
        return checked(places, how, lambda done, total: None)

    return run


def codes(report: Report, grave: bool) -> list[str]:
    return [finding.code for finding in report.findings if finding.grave == grave]


@pytest.mark.parametrize(
    ("name", "grave", "noted"),
    [
        ("binance_futures_TESTNET_BTCUSDT_1h.csv", ["testnet"], []),
        ("duplicate_day_2023-02-18_BYBIT_SOLUSDT_1d.csv", ["duplicated"], ["bad_tick"]),
        ("funding_raw_ms_jitter_SOLUSDT.csv", [], ["funding_jitter"]),
        ("hole_1000_bars_BINANCEUM_ETHUSDT_1h.parquet", ["gaps"], []),
        ("incomplete_candles_never_corrected_AVAXUSDT_spot_1h.csv", ["forming_never_corrected"], []),
        ("incomplete_candles_never_corrected_SOLUSDT_1h.csv", ["forming_never_corrected"], []),
        ("local_timezone_dst_offsets_BTCUSDT_1h_head.csv", [], ["local_times_with_offset"]),
        ("mark_nan_volume_BYBIT_BTCUSDT_4h.feather", [], ["nan_volume"]),
        ("spot_prices_labelled_futures_BTCUSDT_1h_tail500.csv", ["wrong_market"], []),
        (
            "synthetic_labelled_real_data_BTCUSDT_1h.csv",
            ["impossible_bar", "synthetic"],
            ["times_without_offset"],
        ),
        ("vendor_disagreement_2024-10-28_AVAXUSDT_15m.csv", ["vendors_disagree"], []),
    ],
)
def test_each_bad_file_is_known_for_what_it_is(
    check: Check, name: str, grave: list[str], noted: list[str]
) -> None:
    (report,) = check(f"bad/{name}")
    assert (codes(report, True), codes(report, False)) == (grave, noted)


def test_every_bad_file_is_in_the_table_above(shared_data: Path) -> None:
    (mark,) = test_each_bad_file_is_known_for_what_it_is.pytestmark  # type: ignore[attr-defined]
    assert sorted(each.name for each in (shared_data / "bad").iterdir()) == sorted(
        name for name, _, _ in mark.args[1]
    )


def test_the_places_of_what_is_bad_are_named(check: Check) -> None:
    seen = {finding.code: finding for report in check("bad") for finding in report.findings}
    assert (seen["gaps"].count, seen["gaps"].first_ms) == (1_000, 1_731_340_800_000)
    assert (seen["duplicated"].count, seen["duplicated"].first_ms) == (1, 1_676_678_400_000)
    assert seen["nan_volume"].saw == "no bar has a volume"
    assert "+02:00 and +03:00: clocks were changed" in seen["local_times_with_offset"].saw
    assert "4 of them stand still in one and trade in the other" in seen["vendors_disagree"].saw
    assert "up to 16 ms off their minute" in seen["funding_jitter"].saw


def test_no_good_series_is_stopped_by_anything(check: Check, shared_data: Path) -> None:
    reports = check(".")
    files = [path for kind in ("candles", "mark", "funding") for path in (shared_data / kind).iterdir()]
    assert len(reports) == len(files) > 50
    assert {report.source: codes(report, True) for report in reports if report.grave} == {}
    noted = {code for report in reports for code in codes(report, False)}
    assert noted == {"bad_tick", "gaps"}


@pytest.mark.parametrize(
    ("series", "other"),
    [
        ("candles/BYBIT_SOLUSDT_1h.parquet", "candles/BINANCEUM_SOLUSDT_1h.parquet"),
        ("candles/BINANCE_LINKUSDT_1h.parquet", "candles/BINANCEUM_LINKUSDT_1h.parquet"),
        ("candles/BINANCEUM_ETHUSDT_1m.parquet", "candles/BINANCEUM_ETHUSDT_1h.parquet"),
        ("mark/BINANCEUM_ETHUSDT_mark_1h.parquet", "mark/BYBIT_ETHUSDT_mark_1h.parquet"),
        ("bad/local_timezone_dst_offsets_BTCUSDT_1h_head.csv", "candles/BINANCEUM_BTCUSDT_1h.parquet"),
    ],
)
def test_good_series_pass_beside_each_other(check: Check, series: str, other: str) -> None:
    (report,) = check(series, against=other)
    assert codes(report, True) == []
    assert "no_overlap" not in codes(report, False)


def test_a_folder_to_compare_with_gives_the_series_of_the_same_market(check: Check) -> None:
    (report,) = check("bad/hole_1000_bars_BINANCEUM_ETHUSDT_1h.parquet", against="candles")
    (noted,) = [finding for finding in report.findings if finding.code == "no_overlap"]
    assert noted.saw == "no bar of the same time in BINANCEUM_ETHUSDT_1h.parquet"
