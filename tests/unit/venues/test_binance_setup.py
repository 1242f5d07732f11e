"""The set-up checks against an account at Binance: each wrong setting there is found, a right one passes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine_alpha.domain.instrument import Instrument
from engine_alpha.errors import Refused, VenueBusy
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.venues.binance import BinanceVenue
from engine_alpha.venues.lifecycle import ANNOUNCED, ENDED, lifecycle_of
from engine_alpha.venues.setup_checks import SetupNeeds, setup_findings
from tests import makers
from tests.exchange.binance_signing import BinanceKey
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.candles import HOUR_MS
from tests.exchange.in_process import InProcessTransport
from tests.exchange.private import Front
from tests.unit.venues.binance_account import NOW_MS, PROOF_MS, START_MS, SYMBOL, Account, an_account, entry

ETH = replace(makers.ETH, symbol=SYMBOL, venue="binance", min_notional_usd=20.0)
INSTRUMENT = Instrument(
    venue="binance",
    symbol=SYMBOL,
    tick_quote="0.01",
    lot_base="0.001",
    min_quantity_base="0.001",
    min_notional_quote="20",
    max_market_quantity_base="2000",
    maker_fee_frac=0.0002,
    taker_fee_frac=0.0005,
    tiers=(),
    successor="NEWUSDT",
)


def needs(now_ms: int = NOW_MS, equity_quote: float = 1_000.0) -> SetupNeeds:
    return SetupNeeds(clock=FixedClock(now_ms), equity_quote=equity_quote, price_quote=2_000.0)


def with_key(account: Account, key: BinanceKey) -> BinanceVenue:
    trading = BinanceTrading(account.book, keys=[key])
    return BinanceVenue(InProcessTransport("binance", Front(account.market, trading), key=key.key), PROOF_MS)


async def test_an_account_that_is_set_right_has_no_faults_and_gets_its_leverage() -> None:
    account = an_account()
    found = await setup_findings(account.venue, ETH, INSTRUMENT, needs())
    assert (found.faults, found.warnings) == ([], [])
    position = account.book.state.position(SYMBOL)
    assert position.isolated and position.leverage == 3


def in_hedge_mode(account: Account) -> None:
    account.book.set_one_way(False)


def settled(account: Account) -> None:
    account.market.listings[SYMBOL].settled_ms = START_MS


def finer(account: Account) -> None:
    account.market.listings[SYMBOL].lot = "0.0001"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (in_hedge_mode, "hedge mode"),
        (settled, "was settled on 2023-11-14 22:00 UTC: disable it; NEWUSDT follows it"),
        (
            finer,
            "lot 0.001 is now 0.0001, minimum quantity 0.001 is now 0.0001: run chloe instruments refresh",
        ),
    ],
)
async def test_a_wrong_setting_is_a_fault_and_nothing_is_set(
    wrong: Callable[[Account], None], said: str
) -> None:
    account = an_account()
    wrong(account)
    faults = (await setup_findings(account.venue, ETH, INSTRUMENT, needs())).faults
    assert len(faults) == 1 and said in faults[0]
    assert account.writes() == []


async def test_an_announced_end_forbids_entries_from_its_announcement_to_the_settlement() -> None:
    account = an_account()
    await account.venue.place(entry())
    end_ms = START_MS + 30 * HOUR_MS
    account.book.delist(SYMBOL, end_ms)
    stages = []
    for now_ms in (NOW_MS, end_ms - 24 * HOUR_MS, end_ms):
        account.book.advance(now_ms)
        life = lifecycle_of(await account.venue.symbol_facts(SYMBOL), INSTRUMENT, now_ms)
        stages.append((life.stage, life.must_leave(now_ms)))
        [fault] = (await setup_findings(account.venue, ETH, INSTRUMENT, needs(now_ms))).faults
        assert fault == life.sentence and "NEWUSDT" in fault
    assert stages == [(ANNOUNCED, False), (ANNOUNCED, True), (ENDED, False)]
    assert await account.venue.positions() == {}


async def test_a_key_that_can_withdraw_is_refused() -> None:
    account = an_account()
    venue = with_key(account, BinanceKey(key="k", secret="s", withdrawals=True))
    [fault] = (await setup_findings(venue, ETH, INSTRUMENT, needs())).faults
    assert "can withdraw" in fault


async def test_where_nobody_tells_of_the_key_that_is_no_fault() -> None:
    account = an_account()
    venue = BinanceVenue(account.transport, PROOF_MS, wallet_api=False)
    assert (await setup_findings(venue, ETH, INSTRUMENT, needs())).faults == []
    assert not any(path.startswith("/sapi") for _, path, _ in account.transport.sent)


async def test_a_clock_that_is_off_is_a_fault() -> None:
    account = an_account()
    [fault] = (await setup_findings(account.venue, ETH, INSTRUMENT, needs(now_ms=NOW_MS + 2_500))).faults
    assert "2.5 s ahead of binance's" in fault


async def test_all_faults_are_told_at_once() -> None:
    account = an_account(wallet_quote=5.0)
    faults = (
        await setup_findings(account.venue, ETH, INSTRUMENT, needs(NOW_MS - 9_000, equity_quote=6.0))
    ).faults
    assert [fault.split(":")[0] for fault in faults] == [
        "this machine's clock is 9.0 s behind binance's",
        "insufficient balance",
        "ETHUSDT",
    ]


async def test_a_leverage_that_the_venue_refuses_is_a_fault() -> None:
    account = an_account()
    [fault] = (
        await setup_findings(account.venue, replace(ETH, max_leverage=125.0), INSTRUMENT, needs())
    ).faults
    assert "leverage 125 was refused" in fault


async def test_a_higher_fee_warns_and_forbids_nothing() -> None:
    account = an_account()
    cheap = replace(INSTRUMENT, taker_fee_frac=0.0004)
    found = await setup_findings(account.venue, ETH, cheap, needs())
    assert found.faults == [] and len(found.warnings) == 1 and "taker fee is 0.05 %" in found.warnings[0]


@pytest.mark.parametrize("path", ["/positionSide/dual", "/apiRestrictions", "/v3/account", "/commissionRate"])
async def test_a_read_that_fails_is_no_fault(path: str) -> None:
    account = an_account()
    account.fails(path, "drop")
    with pytest.raises(VenueBusy):
        await setup_findings(account.venue, ETH, INSTRUMENT, needs())


async def test_a_refused_read_of_the_key_is_not_taken_for_a_good_key() -> None:
    account = an_account()
    account.fails("/apiRestrictions", "refuse", (-2015, "Invalid API-key, IP, or permissions for action."))
    with pytest.raises(Refused):
        await setup_findings(account.venue, ETH, INSTRUMENT, needs())
