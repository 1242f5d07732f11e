"""One change in a file, and every other byte stays."""

import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from engine_alpha.atomic_files import write_atomically
from engine_alpha.config import editing
from engine_alpha.config.assets import AssetConfig, read_registry
from engine_alpha.config.editing import add_asset, set_enabled, set_value
from engine_alpha.config.reading import read_json
from engine_alpha.errors import ConfigError

REST = '"base_timeframe": "1h", "venue": "bybit", "risk_bucket": "core", "quote_ccy": "USDT"'
NUMBERS = '"max_leverage": 3, "min_notional_usd": 10'
GOOD = f"{REST}, {NUMBERS}"


def a_new_asset(symbol: str = "LTCUSDT", max_leverage: float = 2.5) -> AssetConfig:
    return AssetConfig(
        symbol=symbol,
        base_timeframe="4h",
        enabled=False,
        venue="binance",
        risk_bucket="alt",
        quote_ccy="USDT",
        max_leverage=max_leverage,
        min_notional_usd=5.0,
    )


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "asset_registry.json"
    path.write_text(
        f'{{\n  "ETHUSDT": {{"enabled": true, {GOOD}}},\n  "BTCUSDT": {{"enabled": false, {GOOD}}}\n}}\n'
    )
    return path


def enabled_in(path: Path) -> list[str]:
    return [asset.symbol for asset in read_registry(path).assets if asset.enabled]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"enabled": false, // Change to true\n  @}', '{"enabled": true, // Change to true\n  @}'),
        ('{"enabled"  :\tfalse/* no */,@}', '{"enabled"  :\ttrue/* no */,@}'),
        ('{@,\r\n\t"enabled": false,\r\n}', '{@,\r\n\t"enabled": true,\r\n}'),
        ('{ // "enabled": false,\n "enabled": false, @}', '{ // "enabled": false,\n "enabled": true, @}'),
        ('{"\\u0065nabled": false, @}', '{"\\u0065nabled": true, @}'),
        ('{"enabled": "false", @}', '{"enabled": true, @}'),
        ("{@}", '{"enabled": true, @}'),
        ("{\n    @\n}", '{\n    "enabled": true,\n    @\n}'),
    ],
)
def test_switching_on_changes_one_word(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "r.json"
    frame = '\ufeff{{ /* "BTCUSDT": {{"enabled": false}} */ "ETHUSDT": {{"enabled": false, {}}},\n'
    frame += ' "BTCUSDT": {}, }} // end'
    path.write_bytes(frame.format(GOOD, before.replace("@", GOOD)).encode())
    assert set_enabled(path, "BTCUSDT", True)
    assert path.read_bytes() == frame.format(GOOD, after.replace("@", GOOD)).encode()
    assert enabled_in(path) == ["BTCUSDT"]


def test_switching_to_what_is_already_so_leaves_the_file_alone(registry: Path) -> None:
    before = registry.stat()
    assert not set_enabled(registry, "ETHUSDT", True)
    assert registry.stat() == before


def test_switching_on_and_off_gives_the_same_bytes_back(registry: Path) -> None:
    before = registry.read_bytes()
    set_enabled(registry, "BTCUSDT", True)
    set_enabled(registry, "BTCUSDT", False)
    assert registry.read_bytes() == before


def test_an_unknown_symbol_is_refused_with_the_nearest(registry: Path) -> None:
    with pytest.raises(ConfigError, match="no asset BTCUSD; did you mean BTCUSDT"):
        set_enabled(registry, "BTCUSD", True)
    with pytest.raises(ConfigError, match="it has ETHUSDT, BTCUSDT"):
        set_enabled(registry, "ZZZ", True)
    with pytest.raises(ConfigError, match="no asset"):
        set_enabled(registry, "$schema", True)


def test_switching_on_a_faulty_entry_is_refused_but_off_works(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    text = f'{{"BTCUSDT": {{"enabled": true, "venu": 1, {GOOD}}}}}'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"r\.json:1:31: BTCUSDT\.venu: unknown key"):
        set_enabled(path, "BTCUSDT", True)
    assert set_enabled(path, "BTCUSDT", False)
    assert path.read_text() == text.replace("true", "false")


def test_off_means_off_where_the_switch_is_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(f'{{"BTCUSDT": {{"enabled": true, {GOOD}, "enabled": true}}}}')
    assert set_enabled(path, "BTCUSDT", False)
    assert "true" not in path.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"BTCUSDT": {}, "BTCUSDT": {}}', "given twice"),
        ('{"BTCUSDT": 1}', "must be an object"),
        ("[]", "must be an object"),
        ('{"BTCUSDT": {"enabled": true}', "r.json:1:30"),
    ],
)
def test_what_cant_be_edited_safely_is_left_alone(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        set_enabled(path, "BTCUSDT", False)
    assert path.read_text() == text


ENTRY = (
    '"LTCUSDT": {"enabled": false, "base_timeframe": "4h", "venue": "binance", "risk_bucket": "alt", '
    '"quote_ccy": "USDT", "max_leverage": 2.5, "min_notional_usd": 5}'
)


def lines(indent: str, newline: str = "\n") -> str:
    inner = ENTRY.replace("{", "{@").replace(', "', ',@"').replace("}", "#}")
    return indent + inner.replace("@", newline + 2 * indent).replace("#", newline + indent)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", f"{{{ENTRY}}}"),
        ('{"$schema": "x"}', f'{{"$schema": "x", {ENTRY}}}'),
        ('{"$schema": "x", }', f'{{"$schema": "x", {ENTRY},}}'),
        ("{\n}\n", "{\n" + lines("  ") + "\n}\n"),
        ('{\n\t"$schema": "x" // last\n}', '{\n\t"$schema": "x", // last\n' + lines("\t") + "\n}"),
        ('{\r\n  "$schema": "x"\r\n}\r\n', '{\r\n  "$schema": "x",\r\n' + lines("  ", "\r\n") + "\r\n}\r\n"),
        ('{\n    "$schema": "x",\n}', '{\n    "$schema": "x",\n' + lines("    ") + ",\n}"),
        ('{\n  "$schema": "x" /* a,\n b */ }', '{\n  "$schema": "x", /* a,\n b */ \n' + lines("  ") + "\n}"),
    ],
)
def test_an_asset_is_added_in_the_files_own_layout(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(before.encode())
    add_asset(path, a_new_asset())
    assert path.read_bytes().decode() == after
    assert read_registry(path).assets == (a_new_asset(),)


def test_an_asset_that_is_there_is_not_added_again(registry: Path) -> None:
    before = registry.read_bytes()
    with pytest.raises(ConfigError, match="BTCUSDT is there already"):
        add_asset(registry, a_new_asset("BTCUSDT"))
    assert registry.read_bytes() == before


def test_an_asset_that_would_refuse_is_not_added(registry: Path) -> None:
    before = registry.read_bytes()
    with pytest.raises(ConfigError, match="less than or equal to 125"):
        add_asset(registry, a_new_asset(max_leverage=126.0))
    with pytest.raises(ConfigError, match="is no symbol"):
        add_asset(registry, a_new_asset("ltc"))
    assert registry.read_bytes() == before


def test_one_value_of_a_file_is_set_or_added(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text('{\n  // prices\n  "feed": "embedded", // simulated\n}\n')
    assert set_value(path, "feed", "venue")
    assert path.read_text() == '{\n  // prices\n  "feed": "venue", // simulated\n}\n'
    assert not set_value(path, "feed", "venue")
    assert set_value(path, "seed", 7)
    assert read_json(path) == {"seed": 7, "feed": "venue"}


def test_mode_and_link_stay_and_nothing_is_left_behind(registry: Path, tmp_path: Path) -> None:
    registry.chmod(0o640)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "r.json"
    link.symlink_to(registry)
    set_enabled(link, "BTCUSDT", True)
    assert link.is_symlink()
    assert stat.S_IMODE(registry.stat().st_mode) == 0o640
    assert enabled_in(registry) == ["ETHUSDT", "BTCUSDT"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["asset_registry.json", "links"]


@pytest.mark.parametrize("broken", ["fsync", "replace", "fchmod"])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    registry: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = registry.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(ConfigError, match="No space left on device"):
        set_enabled(registry, "BTCUSDT", True)
    assert registry.read_bytes() == before
    assert [each.name for each in registry.parent.iterdir()] == [registry.name]


def test_an_edit_made_meanwhile_by_someone_else_is_not_lost(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched = editing.switched

    def while_another_edits(*arguments: object) -> str:
        registry.write_text(registry.read_text() + "// another hand\n")
        return switched(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(editing, "switched", while_another_edits)
    with pytest.raises(ConfigError, match="changed by someone else"):
        set_enabled(registry, "BTCUSDT", True)
    assert registry.read_text().endswith("// another hand\n")


def test_a_second_editor_waits_for_the_first(registry: Path) -> None:
    folder = os.open(registry.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    second = threading.Thread(target=set_enabled, args=(registry, "BTCUSDT", True))
    second.start()
    registry.write_text(registry.read_text().replace("true", "false"))
    fcntl.flock(folder, fcntl.LOCK_UN)
    second.join(10)
    os.close(folder)
    assert enabled_in(registry) == ["BTCUSDT"]


def test_a_new_file_can_be_written_too(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new.json", b"{}")
    assert (tmp_path / "new.json").read_bytes() == b"{}"
