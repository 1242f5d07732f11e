"""Sends a message in a process of its own: apprise and its plug-ins cost 30 MiB, and may hang or break.

The address goes there over a pipe, so that it is in no list of processes.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec

from engine_alpha.notices.messages import BROKE, Message

TIMEOUT_S = 60.0
SLOW = f"took longer than {TIMEOUT_S:.0f} s"
_COMMAND = (sys.executable, "-m", "engine_alpha.notices.apprising")


def can_send() -> bool:
    """Say whether apprise is installed."""
    return find_spec("apprise") is not None


def send_apart(target: str, message: Message) -> str:
    """Send one message; return why that failed, "" if it did not. Implements `messages.Sender`."""
    wish = json.dumps({"target": target, "message": asdict(message)})
    try:
        done = subprocess.run(
            _COMMAND,
            input=wish,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote the address
            text=True,
            timeout=TIMEOUT_S,
            start_new_session=True,  # Ctrl-C is not for it
        )
        return str(json.loads(done.stdout)["reason"])
    except subprocess.TimeoutExpired:
        return SLOW
    except (OSError, ValueError, KeyError, TypeError):
        return BROKE
