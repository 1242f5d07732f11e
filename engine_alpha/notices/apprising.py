"""Sends a message by apprise, which knows some 170 services. Needs the extra `alerts`; see `sending`.

`python -m engine_alpha.notices.apprising` reads one target and message as JSON from standard input and prints
why it was not taken. Neither apprise's log nor its exceptions come through: they may quote the address.
"""

import json
import logging
import os
import re
import sys
import threading
from contextlib import suppress

import apprise

from engine_alpha.notices.messages import BROKE, FAULTS, HALTS, Message

_CODE = re.compile(r"error=(\d{3})")
_REMEDIES = {
    "400": "it does not understand the address: look it up at https://appriseit.com/services/",
    "401": "token or password is wrong",
    "403": "token or password is wrong, or the bot was not let in",
    "404": "there is nothing at that address: token, channel or path is wrong",
    "410": "that address was deleted: make a new one",
    "429": "it wants fewer messages",
}
UNKNOWN_KIND = "apprise can't use this address: look it up at https://appriseit.com/services/"
UNREACHABLE = "can't be reached: is the address right, and the network up?"


class _Kept(logging.Handler):
    """Keeps what apprise logs in this thread, and shows it to nobody."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._own = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines = getattr(self._own, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())

    def begin(self) -> list[str]:
        self._own.lines = []
        kept: list[str] = self._own.lines
        return kept


_log = logging.getLogger("apprise")
_kept = _Kept()
_HERE = apprise.AppriseAsset(async_mode=False, service_timeout=0)
"""In the calling thread: the end of a process waits for every thread of apprise's own."""


def quieten() -> None:
    """Keep what apprise logs away from every log of ours and of anybody else."""
    if _kept not in _log.handlers:
        _log.handlers = [_kept]
        _log.propagate = False


def send_by_apprise(target: str, message: Message) -> str:
    """Send one message; return why that failed, "" if it did not. Implements `messages.Sender`."""
    quieten()
    lines = _kept.begin()
    service = apprise.Apprise(asset=_HERE)
    if not service.add(target):
        return UNKNOWN_KIND
    urgent = message.kind in (FAULTS, HALTS)
    notify_type = apprise.NotifyType.WARNING if urgent else apprise.NotifyType.INFO
    if service.notify(body=message.body, title=message.title, notify_type=notify_type):
        return ""
    return _reason(" ".join(lines))


def _reason(logged: str) -> str:
    """Return why a service did not take a message, in words of our own: apprise's may quote the address."""
    found = _CODE.search(logged)
    if found is not None:
        code = found.group(1)
        default = "try again later" if code.startswith("5") else "look up what that service says of it"
        return f"answered HTTP {code}: {_REMEDIES.get(code, default)}"
    if "onnection error" in logged:
        return UNREACHABLE
    return "did not take the message: is everything in its address right?"


def main() -> None:
    """Send what standard input says, behind everything else that wants the processor."""
    with suppress(OSError):  # a hardened service may not
        os.nice(10)
    wish = json.load(sys.stdin)
    reason = BROKE
    with suppress(Exception):  # of a plug-in: what it says may quote the address
        reason = send_by_apprise(wish["target"], Message(**wish["message"]))
    print(json.dumps({"reason": reason}))


if __name__ == "__main__":
    main()
