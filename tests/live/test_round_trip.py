"""One full round trip on each venue's protocol, with real signatures over HTTP, from arming to PF."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.step.recording import TRADE
from engine_alpha.trading.recording import EXECUTION, ORDER, PROTECTION
from tests.live.http_worlds import HttpWorld, When, http_world
from tests.live.round_trip import BARS_IN, CARD, SYMBOL, Seen, told, trip


def payloads_of(world: HttpWorld, kind: str) -> list[dict[str, Any]]:
    return [json.loads(stored.event.payload) for stored in told(world.journal, kind)]


def assert_stop_followed_the_price(seen: list[Seen]) -> None:
    """The stop stood from the tick of the entry on, moved in the trade's favour only, went with the exit."""
    held = [each for each in seen if SYMBOL in each.positions]
    stops = [float(stop) for each in held for stop in each.stops]
    assert [len(each.stops) for each in held] == [1] * len(held), "one stop while there is a position"
    side = 1 if float(held[0].positions[SYMBOL]["quantity"]) > 0 else -1
    moves = [side * (after - before) for before, after in pairwise(stops)]
    assert min(moves) >= 0 and max(moves) > 0, stops
    assert seen[-1].positions == {} and seen[-1].stops == ()


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_a_round_trip_from_arming_to_profit_factor(tmp_path: Path, venue: str) -> None:
    with http_world(tmp_path / "home", venue, CARD, when=When(BARS_IN)) as world:
        seen = trip(world)
        facts = world.facts()
        orders, protections = payloads_of(world, ORDER), payloads_of(world, PROTECTION)
        executions, (trade,) = payloads_of(world, EXECUTION), payloads_of(world, TRADE)
        assert_stop_followed_the_price(seen)
        assert [legs for legs in {order["intent"]["leg"]: 0 for order in orders}] == ["entry", "exit"]
        assert orders[-1]["status"] == "filled" and trade["exit_reason"] == "time"
        ids = {order["intent"]["client_id"] for order in orders}
        assert len(ids) == 2 and all(facts["accepted"][each] == 1 for each in ids)
        assert {each["what"] for each in protections} == {"wanted", "stands"}
        assert protections[-1]["unprotected_ms"] == 0
        fees = sum(Decimal(each["fee_quote"]) for each in executions)
        funding = sum(Decimal(each["received_quote"]) for each in executions)
        assert trade["fees_quote"] == pytest.approx(float(fees)) and fees > 0
        assert trade["funding_quote"] == pytest.approx(float(funding)) and funding != 0
        at_venue = sum(Decimal(fill["fee"]) for fill in facts["fills"])
        assert at_venue == fees, "the ledger's fees are those of the exchange"
        earned = Decimal(facts["wallet"]) - Decimal(str(world.start_wallet))
        assert trade["net_quote"] == pytest.approx(float(earned)), "and so is its money"
        assert_commands_tell_it(world, trade)


def assert_commands_tell_it(world: HttpWorld, trade: dict[str, Any]) -> None:
    live = ("--account", "live-loopback")
    factors = json.loads(world.chloe("pf", *live, "--json").stdout)
    row = next(each for each in factors["groups"] if each["asset"] == SYMBOL)
    assert row["net"]["n"] == 1 and row["net_quote"] == pytest.approx(trade["net_quote"])
    assert world.chloe("journal", "check", *live).exit_code == 0
    status = json.loads(world.chloe("live", "status", "--json").stdout)
    assert [each["stage"] for each in status["assets"] if each["symbol"] == SYMBOL] == ["flat"]
    assert world.chloe("reconcile").exit_code == 0
