"""`--log-format json`: an object per line, the spec's lines inside; under systemd and in a service too."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.home import init_home
from engine_alpha.loop.saying import FORMAT_VARIABLE
from tests.unit.loop.processes import run_module, runner

NOW = ("--now", "2025-11-25T14:00:30")
PROGRAM = """
import logging
from engine_alpha.loop.saying import about, configure_logging
configure_logging()
log = logging.getLogger("chloe.step")
with about(account="paper"):
    with about(symbol="ETHUSDT"):
        log.warning("two\\nlines and %s", "\\ud83d")
    log.error("broken")
try:
    1 / 0
except ZeroDivisionError as fault:
    log.info("fine", exc_info=fault)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_home(tmp_path / "home")
    return tmp_path / "home"


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def in_journald(**environment: str) -> list[str]:
    reader, writer = os.pipe()
    status = os.fstat(writer)
    named = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}", **environment}
    subprocess.run([sys.executable, "-c", PROGRAM], stderr=writer, env=named, check=True, timeout=30)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        return pipe.read().splitlines()


@pytest.mark.parametrize("command", ["runner", "tick"])
def test_a_tick_is_an_object_per_line_with_the_specs_lines_inside(home: Path, command: str) -> None:
    options = ("--home", str(home), *NOW, "--log-format", "json", "--json")
    run = runner(*options) if command == "runner" else run_module("-m", "engine_alpha", "tick", *options)
    assert run.code == 0, run.stderr
    lines = objects(run.stderr)
    messages = [line["message"] for line in lines]
    assert messages[0].startswith(f"home {home} · paper · SIMULATED PRICES")
    assert messages[1] == "MULTI-ASSET: tick at 2025-11-25T14:00:30+00:00 for 1 assets"
    assert messages[2] == "MULTI-ASSET: running live step for ETHUSDT @ 1h"
    assert messages[3].startswith("[SIM] ETHUSDT bar 2025-11-25T13:00:00+00:00 close ")
    assert [(line.get("account"), line.get("symbol")) for line in lines[:4]] == [
        (None, None),
        ("simulated", None),
        ("simulated", "ETHUSDT"),
        ("simulated", "ETHUSDT"),
    ]
    for line in lines:
        assert line["level"] == "info" and line["logger"].startswith("chloe.")
        assert line["at"][10] == "T" and line["at"].endswith("+00:00")
    assert json.loads(run.stdout)["exit_code"] == 0


def test_the_environment_chooses_too_and_the_option_wins(home: Path) -> None:
    as_json = runner("--home", str(home), *NOW, **{FORMAT_VARIABLE: "json"})
    assert len(objects(as_json.stderr)) >= 3
    as_text = runner("--home", str(home), *NOW, "--log-format", "text", **{FORMAT_VARIABLE: "json"})
    assert as_text.lines[0].startswith("home ")
    odd = runner("--home", str(home), *NOW, **{FORMAT_VARIABLE: "xml"})
    assert odd.code == 0 and odd.lines[0] == "no log format xml, it is text now; known: text, json"


def test_an_unknown_format_on_the_command_line_is_a_usage_error(home: Path) -> None:
    assert runner("--home", str(home), "--log-format", "xml").code == 2
    assert run_module("-m", "engine_alpha", "tick", "--log-format", "xml").code == 2


def test_under_systemd_each_object_has_its_priority() -> None:
    lines = in_journald(**{FORMAT_VARIABLE: "json"})
    assert [line[:4] for line in lines] == ["<4>{", "<3>{", "<6>{"]
    first, second, third = (json.loads(line[3:]) for line in lines)
    assert (first["message"], first["account"], first["symbol"]) == ("two\nlines and ?", "paper", "ETHUSDT")
    assert second["account"] == "paper" and "symbol" not in second
    assert "account" not in third and "ZeroDivisionError" in third["traceback"]


def test_under_systemd_each_line_of_a_text_has_its_priority() -> None:
    lines = in_journald(**{FORMAT_VARIABLE: "text"})
    assert lines[:3] == ["<4>two", "<4>lines and \\ud83d", "<3>broken"]
    assert all(line.startswith("<6>") for line in lines[3:]) and lines[-1].startswith("<6>ZeroDivisionError")


def test_a_service_logs_objects_from_its_first_to_its_last_line(home: Path) -> None:
    engine = json.loads((home / "config" / "engine.json").read_text())
    engine["metrics"]["port"] = 0
    (home / "config" / "engine.json").write_text(json.dumps(engine))
    command = [sys.executable, "-m", "engine_alpha", "run", "--home", str(home), "--log-format", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(json.loads(line))
            if "[SIM] ETHUSDT bar" in lines[-1]["message"]:
                process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    stepped = next(line for line in lines if "[SIM] ETHUSDT bar" in line["message"])
    assert (stepped["account"], stepped["symbol"]) == ("simulated", "ETHUSDT")
    assert lines[-1]["message"].startswith("stopping")
