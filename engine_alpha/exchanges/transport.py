"""How a request reaches a venue: endpoint and urgency in, JSON out, or an error that says what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

Params = Mapping[str, str | int]


class Urgency(IntEnum):
    """Who goes first where a venue limits the pace; smaller is sooner."""

    EXIT = 0  # exits, stops and what proves them
    RECONCILE = 1
    ENTRY = 2
    CANDLES = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One REST endpoint: method and path as the venue documents them, and ccxt's name for it."""

    method: str
    path: str
    ccxt_name: str

    @property
    def writes(self) -> bool:
        """Say whether a call may change something: its unclear outcome must be looked up, never resent."""
        return self.method != "GET"


class Transport(Protocol):
    """Sends one request; the same judgement of replies over HTTP and in the simulated exchange."""

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Return the decoded JSON of a yes.

        Raises `VenueBusy` (nothing happened, be patient), `Refused` (the venue said no; `code` is its own),
        `OutcomeUnknown` (a write that may have taken effect), `DataError` (a read whose reply is nonsense).
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
