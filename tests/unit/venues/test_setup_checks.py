"""What forbids the first order: every fault is found, with its figures and its remedy."""

from dataclasses import replace

import pytest

from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.orders import Wallet
from engine_alpha.domain.venue_facts import CLOSING, TRADING, AccountFacts, FeeRates, KeyFacts, SymbolFacts
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.venues import setup_checks
from engine_alpha.venues.setup_checks import ClockReading, SetupNeeds
from tests import makers

NOW_MS = 1_700_000_000_000
GOOD_KEY = KeyFacts(can_trade=True, can_withdraw=False, read_only=False)
GOOD_ACCOUNT = AccountFacts(one_way=True, isolated=None, key=GOOD_KEY)

ETH = replace(makers.ETH, venue="binance", min_notional_usd=20.0)
INSTRUMENT = Instrument(
    venue="binance",
    symbol="ETHUSDT",
    tick_quote="0.01",
    lot_base="0.001",
    min_quantity_base="0.001",
    min_notional_quote="20",
    max_market_quantity_base="2000",
    maker_fee_frac=0.0002,
    taker_fee_frac=0.0005,
    tiers=(),
)
FACTS = SymbolFacts(
    symbol="ETHUSDT",
    status=TRADING,
    tick_quote="0.01",
    lot_base="0.001",
    min_quantity_base="0.001",
    min_notional_quote="20",
    max_leverage="0",
)


def needs(equity_quote: float = 1_000.0, price_quote: float = 2_000.0) -> SetupNeeds:
    return SetupNeeds(clock=FixedClock(NOW_MS), equity_quote=equity_quote, price_quote=price_quote)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (GOOD_KEY, []),
        (KeyFacts(can_trade=None, can_withdraw=None), []),
        (
            replace(GOOD_KEY, can_withdraw=True),
            ["the API key can withdraw from binance: make one that can't"],
        ),
        (replace(GOOD_KEY, read_only=True), ["is read only: allow it to trade derivatives"]),
        (replace(GOOD_KEY, can_trade=False), ["may not trade derivatives: allow it to"]),
    ],
)
def test_the_key(key: KeyFacts, said: list[str]) -> None:
    found = setup_checks.key_faults("binance", key)
    assert len(found) == len(said) and all(part in fault for part, fault in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (GOOD_ACCOUNT, []),
        (replace(GOOD_ACCOUNT, isolated=True), []),
        (replace(GOOD_ACCOUNT, one_way=False), ["is in hedge mode: switch its position mode to one-way"]),
        (replace(GOOD_ACCOUNT, isolated=False), ["uses cross margin: switch its margin mode to isolated"]),
    ],
)
def test_the_account(account: AccountFacts, said: list[str]) -> None:
    found = setup_checks.account_faults("bybit", account)
    assert len(found) == len(said) and all(part in fault for part, fault in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("ours_before", "server", "ours_after", "fault"),
    [
        (0, 0, 0, ""),
        (0, 1_000, 0, ""),
        (0, 1_001, 0, "1.0 s behind"),
        (0, -1_001, 0, "1.0 s ahead of"),
        (0, 2_000, 2_000, ""),  # it looked at its clock somewhere in those two seconds
        (0, 3_000, 2_000, ""),
        (0, 3_100, 2_000, "2.1 s behind"),
        (0, -4_000, 0, "4.0 s ahead of"),
    ],
)
def test_the_clock_with_half_the_round_trip_in_doubt(
    ours_before: int, server: int, ours_after: int, fault: str
) -> None:
    reading = ClockReading(
        sent_ms=NOW_MS + ours_before, server_ms=NOW_MS + server, received_ms=NOW_MS + ours_after
    )
    found = setup_checks.clock_faults("binance", reading)
    assert bool(found) == bool(fault) and all(fault in each for each in found)


def test_a_contract_that_takes_no_entries_is_a_fault_with_its_date() -> None:
    assert setup_checks.contract_faults(FACTS, INSTRUMENT, NOW_MS) == []
    told = replace(FACTS, status=CLOSING, delisted_ms=NOW_MS + 3_600_000)
    [fault] = setup_checks.contract_faults(told, replace(INSTRUMENT, successor="POLUSDT"), NOW_MS)
    assert "2023-11-14 23:13 UTC" in fault and "POLUSDT" in fault


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tick_quote": "0.010"}, ""),
        ({"tick_quote": "0.1"}, "price tick 0.01 is now 0.1"),
        ({"lot_base": "0.01"}, "lot 0.001 is now 0.01"),
        ({"min_quantity_base": "0.01"}, "minimum quantity 0.001 is now 0.01"),
        ({"min_notional_quote": "100"}, "minimum notional 20 is now 100"),
    ],
)
def test_a_grid_that_changed_since_the_snapshot(changed: dict[str, str], said: str) -> None:
    found = setup_checks.grid_faults(replace(FACTS, **changed), INSTRUMENT)  # type: ignore[arg-type]
    assert len(found) == bool(said)
    assert all(said in fault and fault.endswith("run chloe instruments refresh") for fault in found)


def test_insufficient_balance_says_both_figures() -> None:
    wallet = Wallet(equity_quote="949.99", available_quote="1")
    [fault] = setup_checks.money_faults("binance", wallet, 1_000.0)
    assert "insufficient balance" in fault and "949.99" in fault and "1000.00" in fault
    assert setup_checks.money_faults("binance", replace(wallet, equity_quote="950"), 1_000.0) == []


@pytest.mark.parametrize(
    ("equity", "facts", "carries"),
    [
        (1_000.0, FACTS, True),
        (6.0, FACTS, False),  # 18 of notional, 20 is the least
        (1_000.0, replace(FACTS, min_quantity_base="1.5"), True),  # 3,000 of 3,000
        (1_000.0, replace(FACTS, min_quantity_base="1.501"), False),
        (100.0, replace(FACTS, min_notional_quote="300"), True),
        (100.0, replace(FACTS, min_notional_quote="301"), False),
    ],
)
def test_the_smallest_order_must_fit(equity: float, facts: SymbolFacts, carries: bool) -> None:
    assert (setup_checks.size_faults(facts, ETH, needs(equity)) == []) == carries


@pytest.mark.parametrize(
    ("leverage", "most", "fine"), [(3.0, "0", True), (3.0, "3", True), (3.0, "2.5", False), (0.5, "1", True)]
)
def test_leverage_above_the_venues_maximum(leverage: float, most: str, fine: bool) -> None:
    asset = replace(ETH, max_leverage=leverage)
    assert (setup_checks.leverage_faults(replace(FACTS, max_leverage=most), asset) == []) == fine


@pytest.mark.parametrize(("leverage", "text"), [(3.0, "3"), (2.5, "2.5"), (0.5, "1"), (10.0, "10")])
def test_the_leverage_to_set_is_a_plain_decimal_of_at_least_one(leverage: float, text: str) -> None:
    assert setup_checks.leverage_text(replace(ETH, max_leverage=leverage)) == text


def test_a_higher_fee_is_a_warning_for_that_fee_only() -> None:
    [warning] = setup_checks.fee_warnings(FeeRates(maker_frac="0.0002", taker_frac="0.00055"), INSTRUMENT)
    assert "the taker fee is 0.055 %, the snapshot reckons with 0.05 %" in warning
    assert setup_checks.fee_warnings(FeeRates(maker_frac="0", taker_frac="0.0005"), INSTRUMENT) == []
