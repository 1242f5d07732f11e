"""A request now and then to an address that expects it: whoever watches there notices when it stays away."""

import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

TIMEOUT_S = 10.0


class DeadManPing:
    """Asks for `url` at most every `every_ms`, in a thread of its own: trading never waits for it.

    `fault` says why the last request failed, "" if it did not.
    """

    def __init__(self, url: str, every_ms: int) -> None:
        self._url, self._every_s = url, every_ms / 1_000
        self._last_s = float("-inf")
        self._thread: threading.Thread | None = None
        self.fault = ""

    def alive(self) -> None:
        """Say that all is well, if it is time and the last request is over."""
        now_s = time.monotonic()
        if not self._url or now_s - self._last_s < self._every_s:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._last_s = now_s
        self._thread = threading.Thread(target=self._ask, name="ping", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            with urllib.request.urlopen(self._url, timeout=TIMEOUT_S):
                self.fault = ""
        except (OSError, ValueError, urllib.error.URLError) as fault:  # its address may hold a secret
            self.fault = f"{urlsplit(self._url).hostname} did not take the ping: {type(fault).__name__}"
