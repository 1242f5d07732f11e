"""Law of the account's book: the sums over the others are those of adding one asset after the other."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.ledger import held_of, held_with
from engine_alpha.kernel.money import FLAT, NO_OTHERS, NO_PENDING, new_sub_account
from engine_alpha.kernel.values import Others, SubAccount
from engine_alpha.step.state import AccountBook, AssetState, new_state
from tests.makers import ETH

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
BUCKETS = ("majors", "alts")
money = st.floats(-1e9, 1e9)
sizes = st.floats(1e-9, 1e9)


@st.composite
def sub_accounts(draw: st.DrawFn) -> SubAccount:
    side = draw(st.sampled_from((-1, 0, 0, 1)))
    waits = draw(st.sampled_from((-1, 0, 0, 1)))
    position, pending = FLAT, NO_PENDING
    if side:
        position = FLAT._replace(
            side=side, quantity_base=draw(sizes), entry_price=draw(sizes), risk_quote=draw(sizes)
        )
    if waits:
        pending = NO_PENDING._replace(
            side=waits, quantity_base=draw(sizes), decided_price=draw(sizes), risk_quote=draw(sizes)
        )
    return new_sub_account(1_000.0)._replace(
        realised_quote=draw(money),
        fees_quote=draw(money),
        funding_quote=draw(money),
        mark_price=draw(sizes),
        position=position,
        pending=pending,
    )


steps = st.tuples(st.sampled_from(NAMES), st.sampled_from(BUCKETS), sub_accounts())
orders = st.permutations(NAMES[:4])


def added_up(book: AccountBook, symbol: str, bucket: str, order: list[str]) -> Others:
    """Return the sums as they are defined."""
    others = NO_OTHERS
    for name in (*order, *sorted(set(NAMES) - set(order))):
        state = book.assets.get(name)
        if name != symbol and state is not None:
            others = held_with(others, held_of(state.sub), int(state.config.risk_bucket == bucket))
    return others


@given(st.lists(steps, max_size=12), orders, orders)
def test_the_others_are_added_up_in_order_to_the_last_bit(
    done: list[tuple[str, str, SubAccount]], order: list[str], edited: list[str]
) -> None:
    book = AccountBook({}, 1_000.0)
    for name, bucket, sub in done:
        config = replace(ETH, symbol=name, risk_bucket=bucket)
        state = replace(new_state(config, 1_000.0), sub=sub)
        book.put(name, state, book.account)
        for listed in (order, edited):
            found = book.others(name, bucket, listed)
            assert repr(found) == repr(added_up(book, name, bucket, listed))


def test_what_a_book_shows_is_to_be_read() -> None:
    book = AccountBook({}, 1_000.0)
    book.put("AAA", new_state(ETH, 1_000.0), book.account)
    assert isinstance(book.assets["AAA"], AssetState)
    assert book.others("BBB", "majors", []) == NO_OTHERS
