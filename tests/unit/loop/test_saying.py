"""The log's shape: for people with a time, for systemd's journal with a priority."""

import os
import subprocess
import sys

PROGRAM = """
import logging
from engine_alpha.loop.saying import configure_logging
configure_logging()
logging.getLogger("chloe.step").warning("careful")
logging.getLogger("chloe.runner").info("fine")
logging.getLogger("chloe.runner").error("broken")
"""


def test_systemds_journal_gets_priorities_and_no_times() -> None:
    reader, writer = os.pipe()
    status = os.fstat(writer)
    named = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    subprocess.run([sys.executable, "-c", PROGRAM], stderr=writer, env=named, check=True, timeout=30)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read().splitlines() == ["<4>careful", "<6>fine", "<3>broken"]


def test_a_pipe_that_is_not_the_journal_gets_times() -> None:
    named = {**os.environ, "JOURNAL_STREAM": "1:2"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=named, check=True, timeout=30
    )
    assert [line.split(" ", 3)[2:] for line in run.stderr.splitlines()] == [
        ["WARNING", "careful"],
        ["INFO", "fine"],
        ["ERROR", "broken"],
    ]
