"""What couples coins: what the others hold, caps, heat, daily loss and the drawdown latch."""

import math
from typing import Any

import pytest

from engine_alpha.kernel.codes import ACCOUNT_GATES
from engine_alpha.kernel.gates import account_equity, account_marked, correlation_cap
from engine_alpha.kernel.ledger import held_of, held_with
from engine_alpha.kernel.money import DAY_MS, NO_OTHERS, equity_quote, net_quote, new_account
from engine_alpha.kernel.values import Account, Others, Purse, Size, SubAccount, Verdict
from tests.makers import HOUR_MS, a_bar, a_purse, a_risk, an_asset, rules
from tests.unit.kernel.scenes import DAY_START, a_pending, a_position, a_sub, play, seen_as


def others_of(*subs: SubAccount, same_bucket: int = 1) -> Others:
    total = NO_OTHERS
    for sub in subs:
        total = held_with(total, held_of(sub), same_bucket)
    return total


# ------------------------------------------------------------------ what the others hold


def test_a_position_counts_at_its_mark() -> None:
    held = others_of(a_sub(position=a_position(-1), mark_price=110.0, fees_quote=1.0))
    assert held == Others(-21.0, 220.0, 220.0, 1, -20.0, 400.0)


def test_a_waiting_entry_counts_at_its_decided_price() -> None:
    held = others_of(a_sub(pending=a_pending(1, decided_price=105.0), mark_price=100.0))
    assert held == Others(0.0, 210.0, 210.0, 1, 20.0, 400.0)


def test_a_position_counts_once_even_with_an_entry_waiting() -> None:
    assert others_of(a_sub(position=a_position(1), pending=a_pending(1))).positions == 1


def test_a_flat_asset_counts_its_profit_only() -> None:
    assert others_of(a_sub(realised_quote=50.0, fees_quote=2.0, funding_quote=-1.0)) == Others(
        47.0, 0, 0, 0, 0, 0
    )


def test_another_bucket_counts_in_the_whole_but_not_in_the_bucket() -> None:
    held = others_of(a_sub(position=a_position(1)), same_bucket=0)
    assert (held.notional_quote, held.bucket_notional_quote) == (200.0, 0.0)


def test_risks_add_with_their_sign_and_squares_without() -> None:
    held = others_of(
        a_sub(position=a_position(1)), a_sub(position=a_position(-1)), a_sub(pending=a_pending(-1))
    )
    assert (held.risk_quote, held.risk_squared, held.positions) == (-20.0, 1_200.0, 3)


# ------------------------------------------------------------------ heat


@pytest.mark.parametrize(("correlation", "heat"), [(0.0, 2.0), (0.5, 3.1623), (0.8, 3.6878), (1.0, 4.0)])
@pytest.mark.parametrize("side", [1, -1])
def test_four_equal_risks_make_the_published_heat(correlation: float, heat: float, side: int) -> None:
    three = others_of(*(a_sub(position=a_position(side, risk_quote=1.0)) for _ in range(3)))
    wanted = Size(1.0, 100.0, 1.0, 1.0, 1.0)
    seen = correlation_cap(three, wanted, a_purse(), 1.0, a_risk(correlation=correlation, heat_cap_frac=9.0))
    assert seen.seen == pytest.approx(heat, abs=0.0005)
    assert seen.passed == 1


def test_heat_counts_the_assets_own_position_too() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1, risk_quote=3.0)))
    wanted = Size(1.0, 100.0, 1.0, 1.0, 1.0)
    assert correlation_cap(NO_OTHERS, wanted, purse, 1.0, a_risk(correlation=1.0)).seen == 4.0
    assert correlation_cap(NO_OTHERS, wanted, purse, 1.0, a_risk(correlation=0.0)).seen == math.sqrt(10.0)


def test_opposite_risks_of_others_offset_each_other_by_their_correlation() -> None:
    hedged = others_of(a_sub(position=a_position(1)), a_sub(position=a_position(-1)))
    wanted = Size(0.0, 0.0, 0.0, 0.0, 0.0)
    assert correlation_cap(hedged, wanted, a_purse(), 1.0, a_risk(correlation=1.0)).seen == 0.0
    assert correlation_cap(hedged, wanted, a_purse(), 1.0, a_risk(correlation=0.0)).seen == math.sqrt(800.0)


# ------------------------------------------------------------------ marks of the whole account


def marked(account: Account, net: float, close_ms: int = 1_000 * HOUR_MS, **risk: Any) -> Account:
    purse = Purse(a_sub(), account, NO_OTHERS._replace(net_quote=net), ())
    return account_marked(purse, a_risk(**risk), close_ms)


def test_equity_is_the_start_and_every_assets_profit() -> None:
    purse = a_purse(sub=a_sub(realised_quote=30.0), others=NO_OTHERS._replace(net_quote=-10.0))
    assert account_equity(purse, a_risk()) == 10_020.0


def test_the_peak_only_rises() -> None:
    high = marked(new_account(10_000.0), 500.0)
    assert high.peak_quote == 10_500.0
    assert marked(high, -100.0).peak_quote == 10_500.0


def test_a_new_utc_day_starts_from_the_equity_at_its_first_close() -> None:
    before = Account(11_000.0, DAY_START // 24 - 1, 9_000.0, 0)
    last_hour = marked(before, 100.0, DAY_START * HOUR_MS - 1)
    assert (last_hour.day, last_hour.day_start_quote) == (DAY_START // 24 - 1, 9_000.0)
    midnight = marked(before, 100.0, DAY_START * HOUR_MS)
    assert (midnight.day, midnight.day_start_quote) == (DAY_START // 24, 10_100.0)
    assert marked(midnight, 900.0, DAY_START * HOUR_MS + DAY_MS - 1).day_start_quote == 10_100.0


def test_a_late_asset_of_yesterday_does_not_turn_the_day_back() -> None:
    today = Account(10_000.0, DAY_START // 24, 9_500.0, 0)
    assert marked(today, 0.0, (DAY_START - 5) * HOUR_MS) == today


def test_the_drawdown_halt_latches_and_stays_after_recovery() -> None:
    fine = marked(new_account(10_000.0), -1_999.0)
    assert fine.drawdown_halted == 0
    hit = marked(fine, -2_000.0)
    assert hit.drawdown_halted == 1
    assert marked(hit, 5_000.0).drawdown_halted == 1


def test_an_unknown_equity_halts() -> None:
    assert marked(new_account(10_000.0), float("nan")).drawdown_halted == 1


# ------------------------------------------------------------------ through a whole bar


def verdict(purse: Purse, gate: str, number: int = 1_000) -> Verdict:
    _, records = play(rules(), [(a_bar(number), seen_as(1))], purse)
    return records[0].decision.allocation[ACCOUNT_GATES.index(gate)]


def test_a_days_loss_stops_entries_until_the_next_day() -> None:
    today = Account(10_000.0, DAY_START // 24, 10_000.0, 0)
    losing = a_purse(account=today, others=NO_OTHERS._replace(net_quote=-400.0))
    assert verdict(losing, "daily_loss", DAY_START + 5).passed == 0
    assert verdict(losing, "daily_loss", DAY_START + 22).passed == 0
    tomorrow = verdict(losing, "daily_loss", DAY_START + 23)  # this bar closes at midnight
    assert (tomorrow.passed, tomorrow.seen) == (1, 0.0)


def test_the_latched_halt_blocks_with_equity_back_at_its_peak() -> None:
    purse = a_purse(account=Account(10_000.0, 0, 10_000.0, 1))
    assert verdict(purse, "drawdown_halt") == Verdict(0, 0.0, 0.2)


def test_an_entry_sees_the_waiting_entries_of_the_assets_before_it() -> None:
    """Two assets decide at one instant under a cap of one position: the second sees the first's intent."""
    known = rules(risk=a_risk(max_positions=1))
    first, records = play(known, [(a_bar(), seen_as(1))], a_purse())
    assert records[0].decision.pending.side == 1
    second = a_purse(others=others_of(first.sub))
    _, records = play(known, [(a_bar(), seen_as(1))], second)
    assert records[0].decision.pending.side == 0


def test_one_assets_loss_does_not_touch_another_assets_own_gates() -> None:
    alone, beside = a_purse(), a_purse(others=NO_OTHERS._replace(net_quote=-150.0, positions=1))
    _, one = play(rules(), [(a_bar(), seen_as(1))], alone)
    _, other = play(rules(), [(a_bar(), seen_as(1))], beside)
    assert one[0].decision.gates == other[0].decision.gates
    assert one[0].decision.pending == other[0].decision.pending


# ------------------------------------------------------------------ the sub-account's own marks


def test_a_sub_account_marks_at_each_close_and_its_peak_only_rises() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1)))
    asset = an_asset(max_leverage=1.0)
    purse, _ = play(rules(asset=asset), [(a_bar(close=105.0, high=106.0), seen_as(0))], purse)
    assert (purse.sub.mark_price, purse.sub.last_index, purse.sub.peak_quote) == (105.0, 1_000, 1_010.0)
    purse, _ = play(rules(asset=asset), [(a_bar(1_001, close=95.0, low=95.0), seen_as(0))], purse)
    assert (purse.sub.peak_quote, equity_quote(purse.sub), net_quote(purse.sub)) == (1_010.0, 990.0, -10.0)


def test_unknown_funding_is_counted_per_bar_held() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1)))
    purse, _ = play(rules(), [(a_bar(i, funding_unknown=1), seen_as(0)) for i in (1_000, 1_001)], purse)
    assert purse.sub.funding_unknown_bars == 2
