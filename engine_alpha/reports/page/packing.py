"""Columns as short text: whole numbers, differences, bytes sorted by their weight, deflated, base64.

`assets/unpack.js` reads it back. A year of hourly candles comes to some 60 kB.
"""

import base64
import math
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats

MOST_DECIMALS: Final = 14
LARGEST: Final = 2**29  # differences and their sign still fit 32 bits


def deflated(content: bytes) -> str:
    """Return bytes as deflated base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def packed(columns: Sequence[NDArray[Any]]) -> str:
    """Return columns one after the other: int8 as they are, others as differences of whole numbers."""
    return deflated(b"".join(_bytes(column) for column in columns))


def _bytes(column: NDArray[Any]) -> bytes:
    if column.dtype == np.int8:
        return column.tobytes()
    wholes = column.astype(np.int64)
    steps = wholes - np.concatenate([[0], wholes[:-1]])
    zigzag = ((steps << 1) ^ (steps >> 63)).astype("<u4")
    planes: NDArray[np.uint8] = zigzag.view(np.uint8).reshape(-1, 4).T
    return planes.tobytes()


def decimals_of(values: Floats) -> int:
    """Return the fewest decimals that hold all values exactly, or as many as fit 29 bits."""
    largest = float(np.abs(values).max()) if len(values) else 0.0
    room = MOST_DECIMALS if largest == 0.0 else math.floor(math.log10(LARGEST / largest))
    most = min(MOST_DECIMALS, room)
    for decimals in range(min(0, most), most):
        scaled = values * 10.0**decimals
        if np.all(np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(1.0, np.abs(scaled))):
            return decimals
    return most


def whole(values: Floats, decimals: int) -> NDArray[np.int64]:
    """Return values as whole numbers of 10^-decimals."""
    return np.round(values * 10.0**decimals).astype(np.int64)
