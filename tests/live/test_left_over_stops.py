"""A stop that should have gone when a newer one came, but whose process ended before, is taken away later."""

from dataclasses import replace

from engine_alpha.domain.orders import SELL, STOP, WORKING, VenueOrder, VenuePosition, client_id
from engine_alpha.trading.duties import NOTHING, PROTECT, Wish, duty_of
from engine_alpha.trading.ingest import SPARE_MS, with_sight
from tests.unit.trading.scenes import BAR_MS, NOW_MS, SYMBOL, a_moment, a_protection, held

POSITION = VenuePosition(symbol=SYMBOL, quantity_base="2")


def a_stop(price: str, created_ms: int) -> VenueOrder:
    return VenueOrder(
        symbol=SYMBOL,
        client_id=client_id(SYMBOL, "1h", BAR_MS, STOP, price),
        order_id=price,
        side=SELL,
        status=WORKING,
        quantity_base="2",
        filled_base="0",
        reduce_only=True,
        conditional=True,
        trigger_price=price,
        created_ms=created_ms,
    )


OLD, NEW = a_stop("94", NOW_MS - 9_000), a_stop("95", NOW_MS - 8_000)
STAY = Wish(protection=a_protection("95"))


def test_two_stops_for_one_position_are_one_too_many() -> None:
    seen = with_sight(held(), POSITION, [OLD, NEW], NOW_MS)
    assert seen.protection is not None and seen.protection.stop_price == "95"
    assert seen.spare_orders == 1
    assert duty_of(seen, STAY, a_moment()).kind == PROTECT
    alone = with_sight(seen, POSITION, [NEW], NOW_MS)
    assert alone.spare_orders == 0 and duty_of(alone, STAY, a_moment()).kind == NOTHING


def test_one_that_was_replaced_just_now_may_still_be_shown() -> None:
    fresh = replace(NEW, created_ms=NOW_MS - SPARE_MS)
    assert duty_of(with_sight(held(), POSITION, [OLD, fresh], NOW_MS), STAY, a_moment()).kind == NOTHING


def test_a_stop_and_a_target_are_no_spare_ones() -> None:
    target = replace(NEW, client_id=NEW.client_id.replace("chloe-st", "chloe-ta"), trigger_price="120")
    assert with_sight(held(), POSITION, [NEW, target], NOW_MS).spare_orders == 0
