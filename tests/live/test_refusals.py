"""What forbids a first order is said in a clear sentence, at arming and at each tick, and nothing is sent."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.keys import keys_file
from engine_alpha.errors import ChloeError
from engine_alpha.loop.arming import FILE_NAME, arm
from engine_alpha.loop.wiring import run_tick
from engine_alpha.times import iso
from tests.live.http_worlds import KEY, HttpWorld, When, http_world, plant_keys
from tests.live.round_trip import BARS_IN, CARD, SYMBOL
from tests.live.worlds import ACCOUNT
from tests.unit.loop.runs import edit

Spoil = Callable[[HttpWorld], object]


def without_keys(world: HttpWorld) -> None:
    keys_file(world.home, world.venue).unlink()


def key_that_withdraws(world: HttpWorld) -> None:
    (private,) = world.exchange.private
    keys: dict[str, Any] = private.keys  # type: ignore[attr-defined]
    may = {"withdraw": True} if world.venue == "bybit" else {"withdrawals": True}
    keys[KEY] = replace(keys[KEY], **may)


def leverage_refused(world: HttpWorld) -> None:
    bybit = {"path": "set-leverage", "value": [110013, "cannot set leverage due to risk limit"]}
    binance = {"path": "/v1/leverage", "value": [-4028, "Leverage 3 is not valid"]}
    world.control(fault={"kind": "refuse", **(bybit if world.venue == "bybit" else binance)})


def another_tick(world: HttpWorld) -> None:
    world.exchange.market.listings[SYMBOL].tick = "0.05"


def another_lot(world: HttpWorld) -> None:
    world.exchange.market.listings[SYMBOL].lot = "0.5"


def too_small_a_sub_account(world: HttpWorld) -> None:
    """The smallest order, here and at the exchange, is more than the asset's money can carry."""

    def change(found: dict[str, Any]) -> None:
        found["instruments"][SYMBOL].update(lot_base="100", min_quantity_base="100")

    for snapshot in world.home.instruments.glob(f"{world.venue}_*.json"):
        edit(snapshot, change)
    world.exchange.market.listings[SYMBOL].lot = "100"


def hardly_any_money(world: HttpWorld) -> None:
    world.book.state.wallet = Decimal("1")


def settled(world: HttpWorld) -> None:
    world.exchange.market.listings[SYMBOL].settled_ms = world.start_ms - 86_400_000


# A first tick knows no price before it decides: there the gate says it.
TOO_SMALL = "the smallest order is .* the sub-account can carry|blocked by min_notional"

CASES: dict[str, tuple[Spoil, str]] = {
    "keys missing": (without_keys, r"no such file: write .* into it, then chmod 600"),
    "secret wrong": (lambda world: plant_keys(world.home, world.venue, secret="another-secret"), "says no"),
    "key wrong": (lambda world: plant_keys(world.home, world.venue, key="another-key"), "says no"),
    "keys readable": (lambda world: plant_keys(world.home, world.venue, mode=0o644), "has mode 0644"),
    "key withdraws": (key_that_withdraws, "can withdraw from .*: make one that can't"),
    "hedge mode": (lambda world: world.control(one_way={"one_way": False}), "is in hedge mode: switch"),
    "leverage refused": (leverage_refused, "leverage 3 was refused"),
    "tick changed": (another_tick, r"price tick 0\.01 is now 0\.05: run chloe instruments refresh"),
    "lot changed": (another_lot, r"lot \S+ is now 0\.5"),
    "order too small": (too_small_a_sub_account, TOO_SMALL),
    "no money": (hardly_any_money, "insufficient balance"),
    "clock skew": (
        lambda world: world.control(fault={"kind": "wrong_clock", "path": "time", "value": 5_000}),
        "clock is .* s behind .*: set it by NTP",
    ),
    "not trading": (settled, "was settled.*: disable it"),
}


def tick_of_an_armed_asset(world: HttpWorld, spoil: Spoil) -> str:
    """Tick an asset that was armed before its venue or keys were spoiled; return all that is said."""
    arm(world.home.account(ACCOUNT), SYMBOL, world.start_ms, "loopback", world.venue)
    world.goes_to(0)
    spoil(world)
    try:
        report = run_tick(str(world.home.path), "venue", iso(world.tick_ms(0)))
    except ChloeError as fault:
        return str(fault)
    return "\n".join(f"{step.detail} {step.note}" for step in report.steps)


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
def test_where_all_is_well_it_is_armed_and_an_order_goes_out(tmp_path: Path, venue: str) -> None:
    with http_world(tmp_path / "home", venue, CARD, when=When(BARS_IN)) as world:
        assert world.chloe("live", "arm", SYMBOL, "--yes").exit_code == 0
        assert world.orders_sent() == []
        tick_of_an_armed_asset(world, lambda _world: None)
        assert world.orders_sent() != []


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("spoil", "sentence"), CASES.values(), ids=CASES.keys())
def test_arming_is_refused_in_words(tmp_path: Path, venue: str, spoil: Spoil, sentence: str) -> None:
    with http_world(tmp_path / "home", venue, CARD, when=When(BARS_IN)) as world:
        spoil(world)
        result = world.chloe("live", "arm", SYMBOL, "--yes")
        assert result.exit_code == 2, result.output
        assert re.search(sentence, result.stderr), result.stderr
        assert not (world.home.account(ACCOUNT) / FILE_NAME).exists()
        assert world.orders_sent() == []


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("spoil", "sentence"), CASES.values(), ids=CASES.keys())
def test_a_tick_sends_nothing_and_says_why(
    tmp_path: Path, venue: str, spoil: Spoil, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chloe")
    with http_world(tmp_path / "home", venue, CARD, when=When(BARS_IN)) as world:
        told = tick_of_an_armed_asset(world, spoil)
        assert world.orders_sent() == []
        assert re.search(sentence, f"{told}\n{caplog.text}"), told
