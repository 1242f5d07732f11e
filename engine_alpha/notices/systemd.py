"""What systemd hears over $NOTIFY_SOCKET: ready, alive, stopping, one line of status. See sd_notify(3)."""

import os
import socket
import time

SOCKET_VARIABLE, LIMIT_VARIABLE, WHOSE_VARIABLE = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Notifier:
    """Tells systemd, where it listens; anywhere else it does nothing.

    `watchdog_ms` is how long systemd waits for a sign of life, None where it does not.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        found = dict(os.environ) if environment is None else environment
        self._address = _address(found.get(SOCKET_VARIABLE, ""))
        self.watchdog_ms = _limit_ms(found)
        self._told = ""
        self._alive_at_s = float("-inf")

    def ready(self) -> None:
        """Say that the engine has started."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how things are; the same line is sent once."""
        if text != self._told:
            self._told = text
            self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """Say that the engine trades: at most every third of the time that systemd waits for it."""
        now_s = time.monotonic()
        if self.watchdog_ms is not None and now_s - self._alive_at_s >= self.watchdog_ms / 3_000:
            self._alive_at_s = now_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the engine is on its way out."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(0.2)
                line.sendto(text.encode(), self._address)
        except OSError:
            return  # nobody listens any more: trading goes on, and silence is what the watchdog is for


def _address(named: str) -> str | None:
    if named.startswith("@"):
        return "\0" + named[1:]
    return named if named.startswith("/") else None


def _limit_ms(environment: dict[str, str]) -> int | None:
    """Return how long systemd waits, ms; None where it does not, or waits for another process."""
    whose = environment.get(WHOSE_VARIABLE, "")
    if whose and whose != str(os.getpid()):
        return None
    given = environment.get(LIMIT_VARIABLE, "")
    return int(given) // 1_000 if given.isdigit() and int(given) > 0 else None
