"""The run log of research: a line of JSON for every night that was begun, in state/research/runs.jsonl."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine_alpha.cli.output import remark
from engine_alpha.errors import ChloeError
from engine_alpha.home import Home
from engine_alpha.times import iso

FILE_NAME = "runs.jsonl"
INTERRUPTED = "interrupted"


class RunLog:
    """Notes how long each kind of work took; written when the night ends, however it ends."""

    def __init__(self, home: Home, night: str, at_ms: int) -> None:
        """Begin a line; nothing is written yet."""
        self.path = home.state / "research" / FILE_NAME
        self._fields: dict[str, Any] = {"night": night, "at": iso(at_ms), "fault": None, "fetched": None}
        self._stages: dict[str, dict[str, Any]] = {}
        self._started = time.monotonic()

    def moved(self, what: str, done: int, total: int) -> None:
        """Note that so much of a kind of work is done."""
        now = time.monotonic() - self._started
        stage = self._stages.setdefault(what, {"from_s": round(now, 1)})
        stage.update(done=done, total=total, to_s=round(now, 1))

    def fetched(self, fields: Mapping[str, Any]) -> None:
        """Note what was fetched before the night began."""
        self._fields["fetched"] = dict(fields)

    def found(self, document: Mapping[str, Any], faults: Mapping[str, str]) -> None:
        """Note what the night came to."""
        passing = [each["symbol"] for each in document["assets"] if each["passes"]]
        self._fields |= {"proposed": passing, "faults": dict(faults), "peak_mib": document["peak_mib"]}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write the line at the end; a fault is noted and goes on."""
        try:
            yield
        except ChloeError as fault:
            self._fields["fault"] = str(fault)
            raise
        except KeyboardInterrupt:
            self._fields["fault"] = INTERRUPTED
            remark("stopped; what is finished is kept, the same command goes on from there")
            raise
        finally:
            self._write()

    def _write(self) -> None:
        """Append the line; a disk that takes no more must not hide what the night says itself."""
        took = round(time.monotonic() - self._started, 1)
        line = json.dumps({**self._fields, "seconds": took, "stages": self._stages}, ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as fault:
            remark(f"{self.path} can't be written ({fault.strerror}): make room for it")
