"""Any single change is found, and named as what it is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine_alpha.backtest.verifying.bars import Seen, Track
from engine_alpha.backtest.verifying.findings import BAR_REVISED
from engine_alpha.config.reading import read_json
from tests.unit.backtest.verifying import PAIR, Played, bar, changed_bar, only, played, with_payload
from tests.unit.loop.runs import QUICK, edit

HOURS = 8
SOME = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield played(tmp_path_factory.mktemp("laws"), hours=HOURS)


@SOME
@given(
    symbol=st.sampled_from(PAIR),
    hour=st.integers(-500, HOURS - 1),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
    factor=st.floats(1.0001, 1.05),
)
def test_any_one_bar_is_found(pair: Played, symbol: str, hour: int, column: str, factor: float) -> None:
    found = only(pair.verified({symbol: changed_bar(pair.bars[symbol], bar(hour), column, factor)}))
    assert (found.cause, found.symbols) == ("bar_revised", (symbol,))
    assert found.first_ms <= bar(hour) <= found.last_ms
    if hour > 0:
        assert found.first_ms == found.last_ms, "the window before it fits: it is this bar"
    assert found.decisions == HOURS - max(0, hour)


NUMBERS = st.floats(0.01, 0.99).map(lambda value: round(value, 4))


@SOME
@given(
    key=st.sampled_from(["risk_frac", "slippage_bps", "pf_floor", "correlation", "heat_cap_frac"]),
    value=NUMBERS,
)
def test_any_one_limit_is_found(pair: Played, key: str, value: float) -> None:
    value = value / 10 if key == "risk_frac" else value
    before = pair.home.risk.read_bytes()
    assume(read_json(pair.home.risk)[key] != value)
    try:
        edit(pair.home.risk, lambda content: content.update({key: value}))
        found = only(pair.verified())
    finally:
        pair.home.risk.write_bytes(before)
    assert (found.cause, found.subject) == ("config_changed", "risk.json")
    assert [(change.key, change.now) for change in found.changes] == [(key, value)]
    assert found.decisions == 2 * HOURS


EXITS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda value: {"stop": {"atr": value}}, NUMBERS),
    st.builds(lambda value: {"target": {"range": value}}, NUMBERS),
    st.builds(lambda value: {"trailing": {"frac": value}}, NUMBERS),
    st.builds(lambda value: {"max_hold_bars": value}, st.integers(7, 99)),
)


@SOME
@given(exits=EXITS)
def test_any_one_exit_of_a_card_is_found(pair: Played, exits: dict[str, Any]) -> None:
    file = pair.home.cards / "quick.json"
    before = file.read_bytes()
    try:
        edit(file, lambda card: card["exits"].update(exits))
        found = only(pair.verified())
    finally:
        file.write_bytes(before)
    ((name, value),) = exits.items()
    changed = {change.key: change.now for change in found.changes}
    expected = value if name == "max_hold_bars" else next(iter(value.values()))
    assert (found.cause, found.subject) == ("cards_changed", QUICK["name"])
    assert expected in changed.values() and all(key.startswith(f"exits.{name}") for key in changed)


@SOME
@given(kind=st.sampled_from(["fill", "trade"]), place=st.integers(0, 3), money=st.floats(0.5, 0.999))
def test_any_one_price_in_a_fill_or_trade_is_found(pair: Played, kind: str, place: int, money: float) -> None:
    name = "price" if kind == "fill" else "exit_price"
    events = [stored.event for stored in pair.events() if stored.event.kind == kind]
    doctored = events[place % len(events)]

    def change(content: Any) -> None:
        content[name] *= money

    found = only(pair.rewritten(lambda event: with_payload(event, change) if event == doctored else event))
    assert found.cause == "fill_differs" and [each.key for each in found.changes] == [name]
    assert found.first_ms == doctored.bar_ms


@given(data=st.data())
def test_revised_bars_explain_every_window_that_does_not_fit_and_none_that_does(data: st.DataObject) -> None:
    """Some bars revised: each unfit window meets a named stretch, and no fit one holds a named bar."""
    first = data.draw(st.integers(0, 50))
    last = first + data.draw(st.integers(1, 60))
    revised = data.draw(st.sets(st.integers(first - 20, last), min_size=1, max_size=4))
    track = Track(symbol="ETHUSDT", frame_ms=1)
    for number in range(first, last + 1):
        start = number // 16 * 16 - 20
        fits = not any(start <= bad <= number for bad in revised)
        track.windows.append(Seen(first=start, last=number, fits=fits))
    findings = list(track.findings())
    unfit = [one for one in track.windows if not one.fits]
    assert bool(findings) == bool(unfit)
    for one in unfit:
        assert any(one.first <= each.last_ms and each.first_ms <= one.last for each in findings)
    exact = [each for each in findings if not each.detail]
    for each in exact:
        for one in track.windows:
            assert not one.fits or not np.any(
                [one.first <= n <= one.last for n in (each.first_ms, each.last_ms)]
            )
    assert all(each.cause == BAR_REVISED for each in findings)
    if len(revised) == 1 and unfit:
        assert findings[0].first_ms <= min(revised) <= findings[0].last_ms and len(findings) == 1
