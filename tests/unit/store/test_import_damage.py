"""A damaged file is refused, or read as what it says now; it is never a bug and never half stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.importing.rows import Wishes
from engine_alpha.store.importing.run import planned_import
from tests.unit.store.candle_files import (
    NOW,
    archive_csv,
    cryptodatadownload_csv,
    csv_text,
    gzipped,
    json_rows,
    some_bars,
    written,
    zipped,
)

BARS = some_bars(8)
MAKERS = {
    "zip": lambda folder: zipped(folder / "ETHUSDT-1h-2025-01.zip", archive_csv(BARS, True)),
    "csv": lambda folder: written(folder / "bybit_perp_ETHUSDT_1h.csv", csv_text(BARS)),
    "gz": lambda folder: gzipped(folder / "bybit_perp_ETHUSDT_1h.csv.gz", csv_text(BARS)),
    "json": lambda folder: json_rows(folder / "bybit/ETH_USDT_USDT-1h-futures.json", BARS),
    "cdd": lambda folder: written(
        folder / "Binance_ETHUSDT_1h.csv",
        cryptodatadownload_csv(BARS, "ETHUSDT", "ETH", lambda at: at % 2 == 0),
    ),
}
INTRUDERS = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"nan",
    b"\x00",
    b"\xff",
    b";",
    b"1e999",
    b"[",
    b"null",
    b"-",
    b"9" * 30,
]

places = st.integers(0, 10_000)
edits = st.one_of(
    st.tuples(st.just("put"), places, st.sampled_from(INTRUDERS)),
    st.tuples(st.just("cut"), places, st.sampled_from([b" ", b" " * 5, b" " * 60])),
)


@pytest.mark.parametrize("kind", MAKERS)
@given(changes=st.lists(edits, min_size=1, max_size=3))
def test_any_damage_is_a_refusal_or_a_reading(
    tmp_path_factory: pytest.TempPathFactory, kind: str, changes: list[tuple[str, int, bytes]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    path = MAKERS[kind](folder)
    content = bytearray(path.read_bytes())
    for what, place, piece in changes:
        at = place % (len(content) + 1)
        content[at : at + (len(piece) if what == "cut" else 0)] = piece if what == "put" else b""
    path.write_bytes(bytes(content))
    try:
        plan = planned_import(folder / "store", [path], Wishes(), now_ms=NOW)
    except (DataError, ConfigError) as refusal:
        assert path.name in str(refusal)
    else:
        assert len(plan.pieces[0]) > 0
    assert not (folder / "store").exists()
