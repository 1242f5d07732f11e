"""Where no cap binds an asset decides the same alone, beside others, and at any place of the registry."""

import json
from pathlib import Path

from engine_alpha.home import Home
from tests.unit.loop.runs import (
    HOUR_MS,
    SYMBOLS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    edit,
    engine_of,
    payloads,
    series_of,
    tick_hours,
)

HOURS = range(0, 14)


def lines_of(home: Home, symbols: tuple[str, ...]) -> dict[str, list[str]]:
    with engine_of(home, MemoryFeed(series_of())) as engine:
        reports = tick_hours(engine, HOURS)
        assert all(report.exit_code == 0 for report in reports)
        assert [step.symbol for step in reports[0].steps] == list(symbols)
        assert_sound(engine.journal)
        return {symbol: decision_lines(engine.journal, symbol) for symbol in symbols}


def test_each_asset_decides_alone_as_beside_the_others(tmp_path: Path) -> None:
    together = lines_of(a_home(tmp_path / "together", enabled=SYMBOLS), SYMBOLS)
    assert sum('"action":"enter"' in line for lines in together.values() for line in lines) > 30
    for symbol in SYMBOLS:
        alone = lines_of(a_home(tmp_path / symbol, enabled=(symbol,)), (symbol,))
        assert alone[symbol] == together[symbol], symbol


def test_the_order_of_the_registry_changes_only_the_order(tmp_path: Path) -> None:
    straight = a_home(tmp_path / "straight", enabled=SYMBOLS)
    turned = a_home(tmp_path / "turned", enabled=SYMBOLS)
    entries = json.loads(turned.registry.read_text())
    turned.registry.write_text(json.dumps(dict(reversed(entries.items()))))
    assert lines_of(straight, SYMBOLS) == lines_of(turned, SYMBOLS[::-1])


def test_mixed_timeframes_are_decided_each_at_its_own_closes(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "BTCUSDT"))
    edit(home.registry, lambda found: found["BTCUSDT"].update(base_timeframe="4h"))
    series = series_of(("ETHUSDT",))
    long = series_of(("BTCUSDT",), bars=4_000)["BTCUSDT"]
    first = close_ms(40) - 4_000 * HOUR_MS
    series["BTCUSDT"] = type(long)(
        **{name: getattr(long, name) for name in ("open", "high", "low", "close", "volume")},
        timeframe_ms=HOUR_MS,
        open_ms=long.open_ms - long.open_ms[0] + first,
    )
    with engine_of(home, MemoryFeed(series)) as engine:
        reports = tick_hours(engine, range(0, 9))
        assert all(report.exit_code == 0 for report in reports)
        decided = {
            symbol: [
                (each["timeframe"], each["record"][1])
                for each in payloads(engine.journal, "decision", symbol)
            ]
            for symbol in ("ETHUSDT", "BTCUSDT")
        }
    assert decided["ETHUSDT"] == [("1h", close_ms(hour)) for hour in range(9)]
    newest = [close_ms(hour) // (4 * HOUR_MS) * 4 * HOUR_MS for hour in range(9)]
    assert decided["BTCUSDT"] == [("4h", at) for at in dict.fromkeys(newest)]
