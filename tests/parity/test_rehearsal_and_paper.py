"""A rehearsal is the paper runner on a clock: the same decision lines, fills and trades, byte for byte."""

from pathlib import Path

from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.step.recording import DECISION, digests_of
from tests.makers import HOUR_MS
from tests.parity.stored import THREE, rehearsed, series, store, wanted
from tests.unit.loop.runs import (
    LATE_MS,
    ROOMY,
    SYMBOLS,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    engine_of,
    events_of,
    journal_of,
    set_asset,
    tick_at,
    without,
)


def paper(home: Home, data: Path, hours: int) -> None:
    """Drive the ordinary engine tick by tick over the same store."""
    feed = wiring.files_feed(data, "bybit")
    with engine_of(home, feed, account="paper") as engine:
        for hour in range(hours):
            for minute in (0, 20) if hour % 10 == 0 else (0,):
                tick_at(engine, close_ms(hour) + LATE_MS + minute * 60_000)


def without_names(payload: str, account: str) -> str:
    """Return a payload without the labels of where it happened."""
    for old, new in ((account, "x"), ('"mode":"rehearsal"', '"mode":"x"'), ('"mode":"paper"', '"mode":"x"')):
        payload = payload.replace(old, new)
    return payload.replace('"feed":"files bybit"', '"feed":"x"').replace('"feed":"memory"', '"feed":"x"')


def assert_alike(home: Home, data: Path, hours: int, symbols: tuple[str, ...] = THREE) -> int:
    report = rehearsed(home, wanted(data, symbols, hours=hours))
    paper(home, data, hours)
    one, two = journal_of(home, report.account), journal_of(home, "paper")
    assert_sound(two)
    for symbol in symbols:
        assert decision_lines(one, symbol) == decision_lines(two, symbol)
        for kind in ("fill", "trade", "funding"):
            events = [
                [
                    (stored.event.key, without_names(stored.event.payload, name))
                    for stored in events_of(journal, kind, symbol)
                ]
                for journal, name in ((one, report.account), (two, '"account":"paper"'))
            ]
            assert [key for key, _ in events[0]] == [key for key, _ in events[1]]
            if kind != "fill":
                assert events[0] == events[1]
    assert digests_of(two.events(DECISION)).hexes() == (report.decisions_sha256, report.ledger_sha256)
    one.close()
    two.close()
    return report.decisions


def test_over_a_thousand_bars_and_many_trades(tmp_path: Path) -> None:
    data = store(tmp_path / "data", series(SYMBOLS, bars=1_600, before=1_450))
    home = a_home(tmp_path / "home", enabled=SYMBOLS)
    assert assert_alike(home, data, 84, SYMBOLS) > 1_000


def test_with_caps_that_bind(tmp_path: Path) -> None:
    data = store(tmp_path / "data", series())
    home = a_home(tmp_path / "home", enabled=THREE, risk={**ROOMY, "max_positions": 1})
    assert_alike(home, data, 40)


def test_with_four_hour_bars_beside_hours(tmp_path: Path) -> None:
    data = store(tmp_path / "data", series())
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "DOGEUSDT"))
    set_asset(home, "DOGEUSDT", base_timeframe="4h")
    report = rehearsed(home, wanted(data, ("ETHUSDT", "DOGEUSDT"), first=1, hours=48))
    feed = wiring.files_feed(data, "bybit")
    with engine_of(home, feed, account="paper") as engine:
        for hour in range(1, 49):
            tick_at(engine, close_ms(hour) + LATE_MS)
        journal = journal_of(home, report.account)
        for symbol in ("ETHUSDT", "DOGEUSDT"):
            lines = decision_lines(journal, symbol)
            assert lines and set(lines) <= set(decision_lines(engine.journal, symbol))
        journal.close()


def test_with_holes(tmp_path: Path) -> None:
    bars = series()
    missing = [close_ms(hour) - HOUR_MS for hour in (5, 6, 12)]
    bars["BTCUSDT"] = without(bars["BTCUSDT"], *missing)
    home = a_home(tmp_path / "home", enabled=THREE)
    assert_alike(home, store(tmp_path / "data", bars), 25)
