"""`python3 -m engine_alpha.loop.multi_asset_runner` as the spec tells it, as a real process."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from engine_alpha.home import Home, init_home
from tests.unit.loop.processes import run_module, runner
from tests.unit.loop.runs import (
    SYMBOLS,
    assert_sound,
    enable,
    journal_of,
    set_engine,
)

NOW = "2025-11-25T14:20:00+00:00"
TICK = re.compile(r"MULTI-ASSET: tick at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 for (\d+) assets")
SNIPPET = """
from engine_alpha.config.assets import get_enabled_assets

assets = get_enabled_assets()
print(f"Enabled: {len(assets)}")
for a in assets:
    print(f"  {a.symbol} @ {a.base_timeframe}")
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


def test_a_fresh_home_ticks_eth_and_says_what_the_spec_says(home: Home) -> None:
    done = runner(cwd=home.path)
    assert (done.code, done.stdout) == (0, "")
    first, tick, step, detail = done.lines
    assert first == "home ./ · paper · SIMULATED PRICES, not bybit; for real ones: chloe feed venue"
    found = TICK.fullmatch(tick)
    assert found is not None and found.group(1) == "1"
    assert step == "MULTI-ASSET: running live step for ETHUSDT @ 1h"
    assert detail.startswith("[SIM] ETHUSDT bar ")
    again = runner(cwd=home.path)
    assert re.fullmatch(
        r"\[SIM\] ETHUSDT already decided \d\d:\d\d; next close \d\d:\d\d UTC, in \d+ min", again.lines[-1]
    )


def test_the_first_line_names_the_home_that_was_chosen(home: Home, tmp_path: Path) -> None:
    for done in (
        runner("--home", str(home.path), cwd=tmp_path),
        runner(cwd=tmp_path, CHLOE_HOME=str(home.path)),
    ):
        assert done.code == 0
        assert done.lines[0].startswith(f"home {home.path} · paper · SIMULATED PRICES")


def test_the_verification_snippet_prints_what_the_spec_prints(home: Home) -> None:
    assert run_module("-c", SNIPPET, cwd=home.path).stdout == "Enabled: 1\n  ETHUSDT @ 1h\n"
    enable(home, *SYMBOLS[:3])
    assert run_module("-c", SNIPPET, cwd=home.path).stdout.splitlines() == [
        *("Enabled: 3", "  ETHUSDT @ 1h", "  BTCUSDT @ 1h", "  SOLUSDT @ 1h")
    ]


def test_enabling_bitcoin_by_hand_with_the_specs_own_comment(home: Home) -> None:
    text = home.registry.read_text()
    at = text.index('"BTCUSDT"')
    old, new = '"enabled": false,', '"enabled": true,  // Change from false to true'
    home.registry.write_text(text[:at] + text[at:].replace(old, new, 1))
    done = runner("--home", str(home.path))
    assert done.code == 0
    spoken = [line for line in done.lines if line.startswith("MULTI-ASSET")]
    found = TICK.fullmatch(spoken[0])
    assert found is not None and found.group(1) == "2"
    assert spoken[1:] == [
        "MULTI-ASSET: running live step for ETHUSDT @ 1h",
        "MULTI-ASSET: running live step for BTCUSDT @ 1h",
    ]


def test_a_fixed_time_and_a_report_as_json(home: Home) -> None:
    enable(home, *SYMBOLS[:4])
    done = runner("--home", str(home.path), "--now", NOW, "--json", "--feed", "embedded")
    assert done.code == 0
    assert done.lines[1] == "MULTI-ASSET: tick at 2025-11-25T14:20:00+00:00 for 4 assets"
    report = done.report
    assert (report["account"], report["simulated"], report["exit_code"]) == ("simulated", True, 0)
    assert [step["symbol"] for step in report["steps"]] == list(SYMBOLS[:4])
    assert {step["bar"] for step in report["steps"]} == {"2025-11-25T13:00:00+00:00"}
    assert {step["status"] for step in report["steps"]} == {"decided"}
    detail = [line for line in done.lines if not line.startswith(("MULTI-ASSET", "home"))]
    assert len(detail) == 4 and all(line.startswith("[SIM] ") for line in detail)
    earlier = runner("--home", str(home.path), "--now", "2025-11-25T12:20:00", "--json")
    assert earlier.code == 4
    assert {step["reason"] for step in earlier.report["steps"]} == {"clock_backwards"}


def spoil(file: Path, damage: str) -> None:
    if damage == "header":
        file.write_bytes(b"no database " + file.read_bytes()[12:])
    elif damage == "page":
        raw = bytearray(file.read_bytes())
        raw[4_096:] = b"\xff" * (len(raw) - 4_096)
        file.write_bytes(raw)
    else:
        with sqlite3.connect(file) as connection:
            connection.execute(
                "UPDATE states SET payload = replace(payload, 'peak', 'peek') WHERE name='ETHUSDT'"
            )
            connection.execute("UPDATE states SET payload = payload || ' ' WHERE name='ETHUSDT'")
        connection.close()


def test_what_the_runner_wrote_is_sound(home: Home) -> None:
    for hour in range(14, 18):
        assert runner("--home", str(home.path), "--now", f"2025-11-25T{hour}:00:30").code == 0
    journal = journal_of(home, "simulated")
    assert_sound(journal)
    assert sum(1 for _ in journal.events("decision")) == 4
    journal.close()


def test_nothing_heavier_than_configuration_is_loaded_before_the_first_line(home: Home) -> None:
    program = """
import json, logging, sys
class First(logging.Handler):
    def emit(self, record):
        if not seen:
            seen.extend([record.getMessage(), sorted(sys.modules)])
seen = []
from engine_alpha.loop.multi_asset_runner import main
logging.getLogger("chloe.runner").addHandler(First())
logging.getLogger("chloe.runner").setLevel(logging.INFO)
main(sys.argv[1:])
print(json.dumps(seen))
"""
    done = run_module("-c", program, "--home", str(home.path), "--now", NOW)
    line, modules = json.loads(done.stdout)
    assert line.startswith(f"home {home.path} · paper")
    heavy = (
        "numpy",
        "talib",
        "ccxt",
        "sqlalchemy",
        "alembic",
        "polars",
        "numba",
        "aiohttp",
        "pysqlite3",
        "rich",
    )
    assert [name for name in heavy if name in modules] == []
    assert [name for name in modules if name.startswith(("engine_alpha.kernel", "engine_alpha.step"))] == []


def test_the_venue_is_named_in_the_first_line(home: Home) -> None:
    set_engine(home, feed="venue", venue_urls={"bybit": "http://127.0.0.1:9"}, feed_deadline_ms=1_000)
    done = runner("--home", str(home.path))
    assert done.lines[0] == f"home {home.path} · paper · prices of each asset's venue"
    assert done.code == 4
    assert "[SIM]" not in done.stderr
