"""What people write by hand is read; what can't be meant is refused at its place."""

from pathlib import Path

import pytest

from engine_alpha.config.reading import Source, parse_json, parse_members, read_json, scan
from engine_alpha.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_json(text, "f.json")
    return str(caught.value)


def test_comments_and_trailing_commas_are_read() -> None:
    text = '{ // as in the spec\n  "enabled": true,  // Change from false to true\n /* x */ "l": [1, 2,], }'
    assert parse_json(text, "f.json") == {"enabled": True, "l": [1, 2]}


def test_what_looks_like_a_comment_inside_a_text_stays() -> None:
    text = r'{"u": "http://x", "v": "/* no */", "w": "a,}", "x": "\"//\\", "y": ",]"}'
    assert parse_json(text, "f.json") == {
        "u": "http://x",
        "v": "/* no */",
        "w": "a,}",
        "x": '"//\\',
        "y": ",]",
    }


def test_an_error_names_file_line_and_column_and_points_at_it() -> None:
    text = '{\n  "ETHUSDT": {\n    "enabled": true // on\n    "venue": "bybit"\n  }\n}'
    assert refusal(text) == (
        "f.json:4:5: expecting ',' delimiter; put a comma between this and what stands before it, "
        'or close the bracket\n      "venue": "bybit"\n      ^'
    )


def test_columns_are_right_after_comments_and_commas_on_the_same_line() -> None:
    assert refusal('{"a": [1,], /* x */ "b": oops}').startswith("f.json:1:26: ")


def test_lines_are_counted_right_with_windows_line_ends() -> None:
    message = refusal('{\r\n  "a": 1,\r\n  "b": oops\r\n}')
    assert message.startswith("f.json:3:8: ")
    assert "\r" not in message


def test_the_caret_stands_under_the_fault_after_tabs_and_in_long_lines() -> None:
    assert refusal('{\n\t"a": oops}').splitlines()[1:] == ['  \t"a": oops}', "  \t     ^"]
    line, caret = refusal('{"a": "' + "x" * 500 + '", "b": oops}').splitlines()[1:]
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("oops")


@pytest.mark.parametrize(
    "text", ['{"a": 1,,}', "[,]", "{,}", "[1,,2]", '{"a":,}', "[[,]]", "{ // only\n , }"]
)
def test_a_comma_without_anything_before_it_is_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused_at_their_place(word: str) -> None:
    message = refusal(f'{{"x": "{word}",\n "a": {word}}}')
    assert message.startswith(f"f.json:2:7: {word} is not a number")


def test_a_repeated_key_is_refused_with_its_path_and_second_place() -> None:
    message = refusal('{"a": {"b": [0, {"c": 1, "d": 2,\n  "c": 3}]}}')
    assert message == "f.json:2:3: a.b[1].c is given twice; keep one of the two"


def test_a_repeated_key_is_found_through_escapes() -> None:
    assert "is given twice" in refusal('{"a": 1, "\\u0061": 2}')


@pytest.mark.parametrize(
    "text", ["", "   ", "// nothing", "{", '{"a": "x', "/* open", "[" * 100_000, "1" * 5000]
)
def test_unfinished_texts_are_refused(text: str) -> None:
    assert refusal(text).startswith("f.json")


def test_a_byte_order_mark_does_not_shift_columns(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(path) == {"a": 1}
    path.write_bytes(b'\xef\xbb\xbf{"a": oops}')
    with pytest.raises(ConfigError, match=r"f\.json:1:7: "):
        read_json(path)
    with pytest.raises(ConfigError, match=r"f\.json:1:7: "):
        parse_json('\ufeff{"a": oops}', "f.json")


def test_bytes_that_are_not_utf8_are_refused_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(b'{"a": 1,\n "b": "\xff"}')
    with pytest.raises(ConfigError, match=r"f\.json:2:8: byte 0xff is not UTF-8"):
        read_json(path)


def test_a_missing_file_and_a_folder_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="can't be read"):
        read_json(tmp_path)


def test_repeated_keys_can_be_left_to_the_caller() -> None:
    value = parse_members('{"a": {"b": 1, "b": 2}, "a": 3}', "f.json")
    assert value.repeated == ("a",)
    assert value["a"] == {"b": 1}
    assert value["a"].repeated == ("b",)


def test_every_value_can_be_found_in_the_text() -> None:
    source = Source("f.json", '{\n  "a": {"b": [10, /* , */ 20,]}, // }\n  "c": "x"\n}')
    assert source.where(("a", "b", 1)) == "f.json:2:27"
    assert source.where(("c",)) == "f.json:3:3"
    assert source.where(("a", "nowhere")) == "f.json:2:3"
    node = scan(source.text).find("c")
    assert node is not None
    assert source.text[node.start : node.end] == '"x"'
