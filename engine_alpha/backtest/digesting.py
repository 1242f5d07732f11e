"""Digests of a compiled run: the same bytes, in the same order, as `step.recording.Digests` hashes."""

import hashlib

import numpy as np

from engine_alpha.backtest.outputs import DECISION_WORDS, LEDGER_WORDS, RECORD_HEAD, SHADOW_WORDS, Output
from engine_alpha.backtest.world import Settings

WORD = 8


class RunDigests:
    """`decisions_sha256` and `ledger_sha256`, taken in chunk by chunk and ordered at the end."""

    def __init__(self, settings: Settings) -> None:
        shadows = settings.shadow_end - settings.shadow_first
        self._ends = ((RECORD_HEAD + DECISION_WORDS + shadows * SHADOW_WORDS) * WORD).tolist()
        self._close_ms: list[np.ndarray] = []
        self._place: list[np.ndarray] = []
        self._decided = bytearray()
        self._booked = bytearray()

    def add(self, out: Output) -> None:
        """Hash every record of a chunk."""
        count = int(out.counts[0])
        rows = out.record_ints[:count]
        self._close_ms.append(rows[:, 1].copy())
        self._place.append(out.record_asset[:count].copy())
        if count == 0:
            return
        width = rows.shape[1] * WORD
        tail = width - LEDGER_WORDS * WORD
        text = memoryview(rows).cast("B")
        sha256 = hashlib.sha256
        at = 0
        for asset in out.record_asset[:count].tolist():
            self._decided += sha256(text[at : at + self._ends[asset]]).digest()
            self._booked += sha256(text[at + tail : at + width]).digest()
            at += width

    def hexes(self) -> tuple[str, str]:
        """Return the two digests."""
        order = np.lexsort((np.concatenate(self._place), np.concatenate(self._close_ms)))
        decided = np.frombuffer(bytes(self._decided), np.uint8).reshape(-1, 32)[order]
        booked = np.frombuffer(bytes(self._booked), np.uint8).reshape(-1, 32)[order]
        return hashlib.sha256(decided.tobytes()).hexdigest(), hashlib.sha256(booked.tobytes()).hexdigest()
