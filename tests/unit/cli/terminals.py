"""Commands run as a person sees them: on a terminal of some size."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST_S = 60.0


def bare(text: str) -> str:
    """Return what is left without colours and movements of the cursor."""
    return _CODES.sub("", text).replace("\r", "")


def on_terminal(home: Path, columns: int, lines: int, *arguments: str, until: str = "") -> tuple[int, str]:
    """Run one command line; return exit code and screen. `until` is shown text that Ctrl-C follows on."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "engine_alpha", *arguments]
    size = {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm"}
    running = subprocess.Popen(command, cwd=home, stdout=follower, env={**os.environ, **size})
    os.close(follower)
    shown, began, told = b"", time.monotonic(), False
    while time.monotonic() - began < _LONGEST_S:
        try:
            part = os.read(leader, 65_536)
        except OSError:
            break
        shown += part
        if not part:
            break
        if until and not told and until in bare(shown.decode("utf-8", "replace")):
            running.send_signal(signal.SIGINT)
            told = True
    os.close(leader)
    return running.wait(timeout=_LONGEST_S), bare(shown.decode())
