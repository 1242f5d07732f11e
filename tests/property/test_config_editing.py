"""Whatever a registry looks like, an edit changes what was asked for and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.config.assets import AssetConfig, parse_registry
from engine_alpha.config.editing import appended, switched
from engine_alpha.config.reading import Source, blank, parse_json, scan

SYMBOLS = ["ETHUSDT", "BTCUSDT", "SOLUSDT", "XRPUSDT"]
GOOD = {
    "base_timeframe": "1h",
    "venue": "bybit",
    "risk_bucket": "core",
    "quote_ccy": "USDT",
    "max_leverage": 3,
    "min_notional_usd": 10,
}
GAPS = ["", " ", "\n", "\n  ", "\t", "\r\n    ", ' // {"x": ,}\n', '/* "enabled": true, } */', " /**/ "]


@st.composite
def registries(draw: st.DrawFn) -> str:
    """Draw a registry with any spacing, comments, key order, trailing commas; `enabled` may be missing."""

    gaps, coins = st.sampled_from(GAPS), st.booleans()

    def gap() -> str:
        return draw(gaps)

    def obj(members: list[tuple[str, str]]) -> str:
        inner = ",".join(f"{gap()}{json.dumps(key)}{gap()}:{gap()}{value}{gap()}" for key, value in members)
        comma = "," + gap() if len(members) > 0 and draw(coins) else ""
        return f"{{{inner}{comma}{gap() if not members else ''}}}"

    entries = []
    for symbol in draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True)):
        members = [(key, json.dumps(value)) for key, value in GOOD.items()]
        if draw(st.booleans()):
            members.append(("enabled", draw(st.sampled_from(["true", "false"]))))
        entries.append((symbol, obj(draw(st.permutations(members)))))
    if draw(st.booleans()):
        entries.insert(0, ("$schema", '"http://x/*y*/"'))
    return gap() + obj(entries) + gap()


def same_but(text: str, edited: str) -> list[str]:
    """Return what must be inserted or replaced to come from one text to the other, as the edited part."""
    start = next((i for i, (a, b) in enumerate(zip(text, edited, strict=False)) if a != b), len(text))
    tail = 0
    while tail < min(len(text), len(edited)) - start and text[-1 - tail] == edited[-1 - tail]:
        tail += 1
    return [text[start : len(text) - tail], edited[start : len(edited) - tail]]


@given(registries(), st.sampled_from(SYMBOLS), st.booleans())
def test_a_switch_changes_one_word(text: str, symbol: str, on: bool) -> None:
    before = parse_json(text, "r.json")
    if symbol not in before:
        return
    edited = switched(Source("r.json", text), symbol, on)
    after = parse_json(edited, "r.json")
    assert list(after) == list(before)
    assert after == {**before, symbol: {**before[symbol], "enabled": on}}
    was, now = same_but(text, edited)
    assert re.fullmatch(r"[a-z]*", was)
    assert len(now) <= len(was) + 1 or "enabled" not in before[symbol]
    assert switched(Source("r.json", edited), symbol, on) == edited


@given(registries(), st.sampled_from(["true", "false"]))
def test_off_and_on_again_gives_the_first_text_back(text: str, word: str) -> None:
    symbol = next(key for key in parse_json(text, "r.json") if key != "$schema")
    first = switched(Source("r.json", text), symbol, word == "true")
    there = switched(Source("r.json", first), symbol, word != "true")
    assert switched(Source("r.json", there), symbol, word == "true") == first


@given(registries(), st.sampled_from([1.0, 2.5, 125.0]), st.sampled_from([0.0, 5.0, 0.1]))
def test_an_added_asset_stands_last_and_the_rest_stays(text: str, leverage: float, minimum: float) -> None:
    asset = AssetConfig(
        symbol="LTCUSDT",
        base_timeframe="4h",
        enabled=True,
        venue="binance",
        risk_bucket="alt",
        quote_ccy="USDT",
        max_leverage=leverage,
        min_notional_usd=minimum,
    )
    before = parse_json(text, "r.json")
    edited = appended(Source("r.json", text), asset)
    after = parse_json(edited, "r.json")
    assert list(after) == [*before, "LTCUSDT"]
    assert {key: after[key] for key in before} == before
    assert parse_registry(Source("r.json", edited)).assets[-1] == asset
    rest = iter(edited)
    assert all(letter in rest for letter in text if letter != " "), "text was taken away or moved"


@given(registries())
def test_blanking_keeps_every_offset_and_line(text: str) -> None:
    plain = blank(text)
    assert len(plain) == len(text)
    assert [i for i, c in enumerate(plain) if c in "\r\n"] == [i for i, c in enumerate(text) if c in "\r\n"]
    assert json.loads(plain) == parse_json(text, "r.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_plain_json_is_read_as_it_is(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert parse_json(text, "f.json") == value


@given(JSON)
def test_the_scan_finds_every_value(value: Any) -> None:
    text = json.dumps(value)
    root = scan(text)

    def check(node: Any, expected: Any) -> None:
        assert json.loads(text[node.start : node.end]) == expected
        items = list(expected.items()) if isinstance(expected, dict) else []
        items = list(enumerate(expected)) if isinstance(expected, list) else items
        for member, (key, inner) in zip(node.members, items, strict=True):
            assert member.key == key
            check(member.value, inner)

    check(root, value)


def test_the_shipped_registry_survives_every_switch() -> None:
    path = Path(__file__).parents[2] / "config" / "asset_registry.json"
    text = path.read_text()
    for asset in parse_registry(Source("r.json", text)).assets:
        there = switched(Source("r.json", text), asset.symbol, not asset.enabled)
        assert abs(len(there) - len(text)) == 1
        assert switched(Source("r.json", there), asset.symbol, asset.enabled) == text
