"""Snapshots of contracts: exact strings, sound tiers, and dates that decide what may be enabled."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import VENUES, get_asset, read_registry
from engine_alpha.config.instruments import (
    InstrumentEntry,
    Snapshot,
    diff_instruments,
    entry_from_market,
    instrument_of,
    listing_fault,
    load_instruments,
    newest_snapshot,
    plain,
    read_snapshot,
    require_listed,
    tier_fault,
    venue_of_data,
    with_deductions,
    write_snapshot,
)
from engine_alpha.domain.instrument import Instrument
from engine_alpha.errors import ConfigError

CONFIG = Path(__file__).parents[3] / "config"
ENTRY: dict[str, Any] = {
    "tick_quote": "0.10",
    "lot_base": "0.001",
    "min_quantity_base": "0.001",
    "min_notional_quote": "5",
    "max_market_quantity_base": "119.000",
    "maker_fee_frac": "0.0002",
    "taker_fee_frac": "0.00055",
    "listed_ms": 1584230400000,
    "settled_ms": None,
    "successor": None,
    "tiers": [{"floor_quote": "0", "rate_frac": "0.005", "deduction_quote": "0", "max_leverage": "100"}],
}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def snapshot(as_of: str = "2025-01-02", venue: str = "bybit", **changes: Any) -> Snapshot:
    entry = InstrumentEntry.model_validate({**ENTRY, **changes})
    return Snapshot(venue=venue, as_of=as_of, source="a test", notes=("n",), instruments={"BTCUSDT": entry})


@pytest.mark.parametrize("venue", VENUES)
def test_every_registered_coin_has_a_contract_on_every_venue(venue: str) -> None:
    instruments = load_instruments(CONFIG / "instruments", venue)
    for asset in read_registry(CONFIG / "asset_registry.json").assets:
        assert instrument_of(instruments, asset).venue == venue
    assert instruments["MATICUSDT"].successor in instruments


@pytest.mark.parametrize(
    ("venue", "maker", "taker"), [("bybit", 0.0002, 0.00055), ("binance", 0.0002, 0.0005)]
)
def test_fees_are_the_designs_not_ccxts(venue: str, maker: float, taker: float) -> None:
    instruments = load_instruments(CONFIG / "instruments", venue).values()
    assert {(each.maker_fee_frac, each.taker_fee_frac) for each in instruments} == {(maker, taker)}


def test_known_grids_and_minimums() -> None:
    bybit = load_instruments(CONFIG / "instruments", "bybit")
    binance = load_instruments(CONFIG / "instruments", "binance")

    def grid(each: Instrument) -> tuple[str, ...]:
        return each.tick_quote, each.lot_base, each.min_quantity_base, each.min_notional_quote

    assert grid(bybit["BTCUSDT"]) == ("0.10", "0.001", "0.001", "5")
    assert grid(binance["BTCUSDT"]) == ("0.10", "0.001", "0.001", "100")
    assert grid(bybit["ETHUSDT"]) == ("0.01", "0.01", "0.01", "5")
    assert grid(binance["ETHUSDT"]) == ("0.01", "0.001", "0.001", "20")
    assert grid(bybit["MATICUSDT"]) == grid(binance["MATICUSDT"]) == ("0.0001", "1", "1", "5")
    assert bybit["BTCUSDT"].max_market_quantity_base == "119.000"
    assert binance["ETHUSDT"].max_market_quantity_base == "2000"


def test_binances_btc_tiers_are_the_oracles() -> None:
    tiers = load_instruments(CONFIG / "instruments", "binance")["BTCUSDT"].tiers[:5]
    assert [tier.floor_quote for tier in tiers] == [0.0, 300e3, 800e3, 3e6, 12e6]
    assert [tier.rate_frac for tier in tiers] == [0.004, 0.005, 0.0065, 0.01, 0.02]
    assert [tier.deduction_quote for tier in tiers] == [0.0, 300.0, 1_500.0, 12_000.0, 132_000.0]


def test_deductions_join_the_tiers_bybits_example() -> None:
    rows = [
        ("0", "0.02", "25"),
        ("1000", "0.025", "20"),
        ("2000", "0.03", "16"),
        ("3000", "0.035", "14"),
        ("4000", "0.04", "12"),
    ]
    tiers = with_deductions(rows)
    margin = Decimal(3_500) * Decimal(tiers[3].rate_frac) - Decimal(tiers[3].deduction_quote)
    assert (tiers[3].deduction_quote, margin) == ("30", Decimal("92.5"))
    assert tier_fault(tiers) is None


@pytest.mark.parametrize("venue", VENUES)
def test_margin_never_steps_or_falls_as_notional_grows(venue: str) -> None:
    for instrument in load_instruments(CONFIG / "instruments", venue).values():
        for lower, upper in zip(instrument.tiers, instrument.tiers[1:], strict=False):
            edge = upper.floor_quote
            below = edge * lower.rate_frac - lower.deduction_quote
            above = edge * upper.rate_frac - upper.deduction_quote
            assert above == pytest.approx(below, abs=0.02)
            assert upper.max_leverage <= lower.max_leverage
        assert all(0.0 < tier.rate_frac < 0.6 for tier in instrument.tiers)


def test_bybits_approximate_tiers_are_no_milder_than_those_known() -> None:
    tiers = load_instruments(CONFIG / "instruments", "bybit")["BTCUSDT"].tiers
    known = [(299_999.0, 0.0033), (1_999_999.0, 0.005), (3_999_999.0, 0.01)]
    for notional, rate in known:
        ours = max(
            (tier for tier in tiers if tier.floor_quote <= notional), key=lambda tier: tier.floor_quote
        )
        assert ours.rate_frac >= rate
    notes = " ".join(read_snapshot(newest_snapshot(CONFIG / "instruments", "bybit")).notes)
    assert "APPROXIMATION" in notes


def test_a_settled_contract_is_refused_today_and_traded_in_its_time() -> None:
    for venue, day in (("bybit", "2024-09-06"), ("binance", "2024-09-04")):
        matic = load_instruments(CONFIG / "instruments", venue)["MATICUSDT"]
        assert listing_fault(matic, at("2025-01-01")) == f"settled {day}, successor POLUSDT"
        assert listing_fault(matic, at("2023-01-01")) is None
        assert matic.is_listed(at("2023-01-01"))
    assert load_instruments(CONFIG / "instruments", "binance")["MATICUSDT"].settled_ms == at(
        "2024-09-04T09:00"
    )


def test_enabling_a_settled_contract_is_refused_by_name() -> None:
    instruments = load_instruments(CONFIG / "instruments", "bybit")
    matic, eth = (
        next(each for each in read_registry(CONFIG / "asset_registry.json").assets if each.symbol == symbol)
        for symbol in ("MATICUSDT", "ETHUSDT")
    )
    require_listed(instruments, eth, at("2025-01-01"))
    with pytest.raises(
        ConfigError, match="MATICUSDT can't be enabled on bybit: settled 2024-09-06, successor POLUSDT"
    ):
        require_listed(instruments, matic, at("2025-01-01"))


def test_a_contract_is_refused_before_its_listing() -> None:
    pol = load_instruments(CONFIG / "instruments", "binance")["POLUSDT"]
    assert listing_fault(pol, at("2024-09-13T12:00")) == "listed only on 2024-09-13"
    assert listing_fault(pol, at("2024-09-13T12:15")) is None


def test_an_asset_without_a_contract_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHLOE_HOME", str(CONFIG.parent))
    asset = get_asset("ETHUSDT")
    assert asset is not None
    instruments = load_instruments(CONFIG / "instruments", "bybit")
    with pytest.raises(ConfigError, match='no such contract; did you mean "ETHUSDT"'):
        instrument_of(instruments, replace(asset, symbol="ETHUSD"))


def test_the_newest_snapshot_of_the_venue_counts(tmp_path: Path) -> None:
    write_snapshot(tmp_path, snapshot("2024-12-31", tick_quote="1"))
    newest = write_snapshot(tmp_path, snapshot("2025-01-02", tick_quote="2"))
    write_snapshot(tmp_path, snapshot("2026-01-01", venue="binance", tick_quote="3"))
    (tmp_path / "notes.json").write_text("{}")
    assert newest_snapshot(tmp_path, "bybit") == newest
    assert load_instruments(tmp_path, "bybit")["BTCUSDT"].tick_quote == "2"


def test_a_folder_without_the_venue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no snapshot of bybit"):
        load_instruments(tmp_path, "bybit")


def test_a_snapshot_written_is_read_back(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path, snapshot())
    assert read_snapshot(path) == snapshot()


def test_a_snapshot_under_anothers_name_is_refused(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path, snapshot())
    with pytest.raises(ConfigError, match="holds bybit as of 2025-01-02; name it so"):
        read_snapshot(path.rename(tmp_path / "bybit_2025-01-03.json"))


TIER = ENTRY["tiers"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *[({key: ...}, f"instruments.BTCUSDT.{key}: is missing") for key in ENTRY],
        ({"tick_quote": 0.1}, "tick_quote: must be a text in double quotes, not 0.1"),
        ({"tick_quote": "1e-3"}, "tick_quote: "),
        ({"tick_quote": "0.0"}, "BTCUSDT: tick_quote must be greater than 0"),
        ({"lot_base": "0"}, "BTCUSDT: lot_base must be greater than 0"),
        (
            {"taker_fee_frac": "0.055"},
            "taker_fee_frac must be at most 0.05: it is a fraction, 0.055 % is",
        ),
        ({"maker_fee_frac": "2"}, "BTCUSDT: maker_fee_frac must be at most 0.05"),
        ({"listed_ms": "2020"}, 'listed_ms: must be a whole number, not "2020"'),
        ({"tick_qote": "1"}, 'tick_qote: unknown key; did you mean "tick_quote"'),
        ({"tiers": []}, "tiers: "),
        ({"tiers": [{**TIER, "rate_frac": "0.6"}]}, "rate_frac must lie between 0 and 0.6"),
        ({"tiers": [{**TIER, "rate_frac": "0"}]}, "rate_frac must lie between 0 and 0.6"),
        ({"tiers": [{**TIER, "floor_quote": "1"}]}, "floor_quote must be 0"),
        ({"tiers": [TIER, TIER]}, "floors and rates must rise"),
        (
            {"tiers": [TIER, {**TIER, "floor_quote": "1000", "rate_frac": "0.004"}]},
            "floors and rates must rise",
        ),
        (
            {"tiers": [TIER, {**TIER, "floor_quote": "1000", "rate_frac": "0.01"}]},
            "deduction_quote must be 5",
        ),
        ({"tiers": [{**TIER, "rate": "1"}]}, r'tiers\[0\]\.rate: unknown key; did you mean "rate_frac"'),
    ],
)
def test_a_mistake_in_a_snapshot_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    entry = {key: value for key, value in {**ENTRY, **changes}.items() if value is not ...}
    whole = {
        "venue": "bybit",
        "as_of": "2025-01-02",
        "source": "s",
        "notes": [],
        "instruments": {"BTCUSDT": entry},
    }
    path = tmp_path / "bybit_2025-01-02.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(ConfigError, match=message):
        read_snapshot(path)


def test_a_bybit_market_becomes_an_entry() -> None:
    info = {
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "maxMktOrderQty": "119.000",
            "minNotionalValue": "5",
        },
    }
    tiers = with_deductions([("0", "0.005", "100")])
    assert entry_from_market({"info": info}, "bybit", tiers) == InstrumentEntry.model_validate(ENTRY)
    ended = entry_from_market({"info": {**info, "deliveryTime": "1725580800000"}}, "bybit", tiers)
    assert ended.settled_ms == 1725580800000


def test_a_binance_market_becomes_an_entry() -> None:
    info = {
        "onboardDate": "1569398400000",
        "deliveryDate": "4133404800000",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "10000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "2000", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "20"},
        ],
    }
    entry = entry_from_market({"info": info}, "binance", with_deductions([("0", "0.004", "150")]))
    assert (entry.tick_quote, entry.lot_base, entry.min_quantity_base) == ("0.01", "0.001", "0.001")
    assert (entry.min_notional_quote, entry.max_market_quantity_base) == ("20", "2000")
    assert (entry.taker_fee_frac, entry.listed_ms, entry.settled_ms) == ("0.0005", 1569398400000, None)


def test_differences_are_named_by_symbol_and_field(tmp_path: Path) -> None:
    write_snapshot(tmp_path, snapshot())
    old = load_instruments(tmp_path, "bybit")
    new = {"BTCUSDT": replace(old["BTCUSDT"], tick_quote="0.50"), "NEWUSDT": old["BTCUSDT"]}
    assert diff_instruments(old, old) == []
    assert [str(each) for each in diff_instruments(old, new)] == [
        "BTCUSDT.tick_quote: 0.10 -> 0.50",
        "NEWUSDT: new",
    ]
    assert [str(each) for each in diff_instruments(new, old)][1] == "NEWUSDT: gone"


def test_names_of_stored_series_lead_to_their_venue() -> None:
    names = ["BINANCEUM", "BINANCE", "BYBIT", "bybit", "binance"]
    assert [venue_of_data(name) for name in names] == ["binance", "binance", "bybit", "bybit", "binance"]
    with pytest.raises(ConfigError, match='no venue "KRAKEN"'):
        venue_of_data("KRAKEN")


def test_decimals_are_written_plainly() -> None:
    numbers = [Decimal("1E+3"), Decimal("0.500"), Decimal("100"), Decimal("1E-7"), Decimal(0)]
    assert [plain(number) for number in numbers] == ["1000", "0.5", "100", "0.0000001", "0"]
