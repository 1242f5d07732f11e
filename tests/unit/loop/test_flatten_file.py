"""The wish to be flat: each is told apart, none is lost, and one that can't be read closes nothing."""

from pathlib import Path

import pytest

from engine_alpha.errors import JournalError
from engine_alpha.loop.flatten_file import FILE_NAME, FlattenWish, request_flatten, requested_flattens
from engine_alpha.loop.lock import account_lock


def test_without_a_wish_there_is_none(tmp_path: Path) -> None:
    found = requested_flattens(tmp_path / "paper")
    assert (found.wishes, found.fault, found.of("ETHUSDT")) == ((), "", None)


def test_a_wish_reaches_its_symbol_alone(tmp_path: Path) -> None:
    request_flatten(tmp_path / "paper", "ETHUSDT", "sick", 5)
    found = requested_flattens(tmp_path / "paper")
    assert found.of("ETHUSDT") == FlattenWish(symbol="ETHUSDT", reason="sick", at_ms=5)
    assert found.of("BTCUSDT") is None


def test_a_wish_for_all_reaches_every_symbol(tmp_path: Path) -> None:
    request_flatten(tmp_path, None, "sick", 5)
    assert requested_flattens(tmp_path).of("BTCUSDT") == FlattenWish(symbol=None, reason="sick", at_ms=5)


def test_the_newest_that_reaches_a_symbol_counts_and_the_others_stay(tmp_path: Path) -> None:
    request_flatten(tmp_path, "ETHUSDT", "first", 5)
    request_flatten(tmp_path, None, "all", 6)
    request_flatten(tmp_path, "BTCUSDT", "last", 7)
    found = requested_flattens(tmp_path)
    told = {symbol: wish.reason for symbol in ("ETHUSDT", "BTCUSDT", "SOLUSDT") if (wish := found.of(symbol))}
    assert told == {"ETHUSDT": "all", "BTCUSDT": "last", "SOLUSDT": "all"}
    assert len(found.wishes) == 3


def test_each_wish_has_a_key_of_its_own_so_that_it_is_done_once(tmp_path: Path) -> None:
    keys = []
    for symbol, at_ms in (("ETHUSDT", 5), ("ETHUSDT", 6), ("BTCUSDT", 6), (None, 6)):
        request_flatten(tmp_path, symbol, "again", at_ms)
        keys += [wish.key for wish in requested_flattens(tmp_path).wishes]
    assert set(keys) == {"ETHUSDT/5", "ETHUSDT/6", "BTCUSDT/6", "*/6"}


def test_it_works_beside_a_running_engine(tmp_path: Path) -> None:
    with account_lock(tmp_path):
        request_flatten(tmp_path, None, "sick", 5)
    assert requested_flattens(tmp_path).of("ETHUSDT") is not None


def test_half_a_letter_in_the_reason_can_be_journalled(tmp_path: Path) -> None:
    request_flatten(tmp_path, None, "sick \udce9", 5)
    wish = requested_flattens(tmp_path).of("ETHUSDT")
    assert wish is not None and wish.reason.encode("utf-8") == b"sick ?"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b"\xff", b"[" * 50_000, b'{"*": 1}', b'{"*": {"reason": "x"}}',
     b'{"*": {"reason": "x", "at_ms": "5"}}', b'{"*": {"reason": "x", "at_ms": true}}'],
    ids=lambda content: content[:30].decode("latin-1"),
)  # fmt: skip
def test_a_file_that_can_t_be_read_closes_nothing_says_why_and_is_replaced(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    found = requested_flattens(tmp_path)
    assert found.wishes == () and "can't be read" in found.fault and "chloe flatten" in found.fault
    request_flatten(tmp_path, None, "again", 5)
    assert requested_flattens(tmp_path).of("ETHUSDT") is not None


def test_a_wish_that_can_t_be_written_says_that_nothing_will_close(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalError, match="positions will NOT be closed"):
        request_flatten(tmp_path / "state" / "paper", None, "sick", 5)
