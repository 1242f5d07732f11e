"""The exchange's clock: fixed, or the wall's."""

import time


class ExchangeClock:
    """Stands at `fixed_ms` until set anew; with None it follows the wall clock."""

    def __init__(self, fixed_ms: int | None = None) -> None:
        self._fixed_ms = fixed_ms

    def set(self, fixed_ms: int | None) -> None:
        self._fixed_ms = fixed_ms

    @property
    def stands(self) -> bool:
        return self._fixed_ms is not None

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 if self._fixed_ms is None else self._fixed_ms
