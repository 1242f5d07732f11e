"""Keys and alert targets are planted wherever Chloe looks for them, and looked for in all that it says.

Every command runs with good and with broken secrets; so do a service with dead venues, targets and ping, real
orders at a test exchange, and a bug in the middle of signing. What was planted must stand in no output, log,
journal, page or traceback.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine_alpha.cli.root import chloe
from engine_alpha.config.secret_files import CREDENTIALS_VARIABLE
from engine_alpha.exchanges.ccxt_line import ApiKey
from engine_alpha.home import Home, init_home
from engine_alpha.loop.arming import arm
from engine_alpha.loop.wiring import run_tick
from engine_alpha.venues import ccxt_venue
from tests.live.http_worlds import KEY, SECRET, http_world
from tests.live.round_trip import CARD
from tests.unit.cli.conftest import make_eager
from tests.unit.cli.test_entry import leaves
from tests.unit.loop.service.test_metering import a_free_port

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's

DEAD = "http://127.0.0.1:9"
PASSWORD = "PlantedPassword0123456789"
TARGETS = (
    f"json://user:{PASSWORD}@127.0.0.1:9/PlantedPath",
    "tgram://123456789:PlantedTelegramToken0123456789abcd/PlantedChat",
    f"mailtos://user:{PASSWORD}@127.0.0.1:9/?from=PlantedSender@example.com",
    "PlantedScheme://PlantedHost",
)
KEYS = json.dumps({"key": "PlantedKey0123456789", "secret": "PlantedSecret9876543210"})
GOOD = {"bybit.json": KEYS, "binance.json": KEYS, "alerts.json": json.dumps({"targets": TARGETS})}
BROKEN = {
    "bybit.json": KEYS[:-1],
    "binance.json": json.dumps({"PlantedKey": "PlantedSecret"}),
    "alerts.json": json.dumps({"targets": ["PlantedNoAddress"]}),
}
CREDENTIALS = {
    "bybit.key": "PlantedKey0123456789",
    "bybit.secret": "PlantedSecret9876543210",
    "binance.key": "PlantedKey 0123456789",
    "binance.secret": "PlantedSecret9876543210",
    "alerts.json": GOOD["alerts.json"],
}
ENVIRONMENT = {"BYBIT_API_KEY": "PlantedVariable", "CHLOE_API_SECRET": "PlantedVariable"}
NEEDLES = ("planted", base64.b64encode(f"user:{PASSWORD}".encode()).decode()[:20].lower())

WITH = {  # what a command needs to get as far as it can; {home} is its home
    "init": ["{home}/another"],
    "assets add": ["LTCUSDT"],
    "assets disable": ["ETHUSDT"],
    "assets enable": ["SOLUSDT"],
    "tick": ["--now", "2025-11-25T21:00:30"],
    "why": ["ETHUSDT"],
    "flatten": ["ETHUSDT", "--yes"],
    "live arm": ["BTCUSDT", "--yes"],
    "live disarm": ["--all"],
    "instruments diff": ["{home}/config/instruments/bybit_2026-11-20.json"],
    "data import": ["{home}/secrets/bybit.json"],
    "run": ["--feed", "no such feed"],
    "service install": ["--dry-run"],
    "service uninstall": ["--dry-run"],
    "restore": ["{home}/secrets/bybit.json"],
}
COMMANDS = leaves(chloe)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home that traded simulated prices, with a coin armed for a venue that does not answer."""
    home = tmp_path_factory.mktemp("secretive") / "home"
    init_home(home)
    make_eager(home)
    for hour in range(14, 21):
        run_tick(str(home), now=f"2025-11-25T{hour}:00:30")
    engine = home / "config" / "engine.json"
    found = json.loads(engine.read_text())
    found["live"]["environment"] = "loopback"
    found["venue_urls"] = {"bybit": DEAD, "binance": DEAD}
    found["service"]["ping_url"] = f"{DEAD}/PlantedPing"
    found["feed_deadline_ms"] = 500
    engine.write_text(json.dumps(found, indent=2))
    arm(Home(home).account("live-loopback"), "ETHUSDT", 1, "loopback", "bybit")
    return home


def plant(home: Path, files: dict[str, str]) -> None:
    folder = home / "secrets"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def planted_in(text: str) -> list[str]:
    """Return the lines in which something planted shows, and the ping's address, which is told to nobody."""
    return [line for line in text.splitlines() if any(needle in line.lower() for needle in NEEDLES)]


def planted_files(home: Path) -> list[str]:
    """Return the files of a home, besides its secrets, in which something planted stands."""
    found = []
    for path in home.rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            content = path.read_bytes().replace(b"PlantedPing", b"")  # configuration, and its copies
            if any(needle.encode() in content.lower() for needle in NEEDLES):
                found.append(str(path.relative_to(home)))
    return found


@pytest.fixture(params=["good", "broken", pytest.param("credentials", marks=pytest.mark.slow)])
def home(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    path = tmp_path / "home"
    shutil.copytree(template, path, symlinks=True)
    plant(path, BROKEN if request.param == "broken" else GOOD)
    if request.param == "credentials":
        folder = tmp_path / "credentials"
        folder.mkdir()
        for name, text in CREDENTIALS.items():
            (folder / name).write_text(text)
        monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHLOE_HOME", str(path))
    monkeypatch.setenv("CHLOE_DEBUG", "1")
    return path


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_command_shows_a_secret(
    path: tuple[str, ...], home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = " ".join(path)
    arguments = [each.format(home=home) for each in WITH.get(name, [])]
    for more in ([], ["--json"]) if name not in ("tick", "live arm") else ([],):
        result = CliRunner().invoke(chloe, [*path, *arguments, *more], prog_name="chloe", input="\n")
        assert planted_in(result.output) == []
        assert "Traceback" not in result.output, result.output
    assert planted_in("".join(capfd.readouterr())) == []
    assert planted_files(home) == []


@pytest.mark.slow
def test_a_service_shows_no_secret_in_log_page_or_files(home: Path) -> None:
    shutil.rmtree(home / "state" / "simulated")  # else it would step a year of bars first
    port = a_free_port()
    engine = json.loads((home / "config" / "engine.json").read_text())
    engine["metrics"]["port"] = port
    (home / "config" / "engine.json").write_text(json.dumps(engine))
    command = [sys.executable, "-m", "engine_alpha", "run", "--log-format", "json"]
    environment = {**os.environ, "CHLOE_DEBUG": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            page = page_with(port, 'chloe_steps_total{account="simulated"', process)
            time.sleep(2.0)  # the ping, and alerts of what is wrong, are on their way
        finally:
            process.send_signal(signal.SIGTERM)
        out, err = (told.decode() for told in process.communicate(timeout=30))
    assert process.returncode == 0, err
    assert "chloe_build_info" in page and "REAL ORDERS on loopback: ETHUSDT" in err and "stopping" in err
    assert planted_in(page + out + err) == []
    assert planted_files(home) == []


def page_with(port: int, figure: str, process: subprocess.Popen[bytes]) -> str:
    """Wait until the page has this figure."""
    until_s = time.monotonic() + 60.0
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text: str = answer.read().decode()
            if figure in text:
                return text
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise AssertionError("no page")


@pytest.mark.parametrize("where", ["make_venue", "CcxtTransport"])
def test_a_traceback_shows_no_secret(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def a_bug(*settings: object, **more: object) -> None:
        held = (settings, more)  # the frame holds the key
        raise ZeroDivisionError(f"a bug while signing, {len(held)}")

    monkeypatch.setattr(ccxt_venue, where, a_bug)
    monkeypatch.setenv("CHLOE_DEBUG", "1")
    with http_world(tmp_path / "home", "bybit", CARD) as world:
        output = world.chloe("live", "arm", "ETHUSDT", "--yes").output
    assert "Traceback" in output and "ZeroDivisionError: a bug while signing, 2" in output
    assert not shows_key(output)


def test_a_key_does_not_show_itself() -> None:
    key = ApiKey("PlantedKey0123456789", "PlantedSecret9876543210")
    assert planted_in(f"{key} {key!r} {[key]} {vars(key) if hasattr(key, '__dict__') else ''}") == []


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_real_orders_leave_no_key_in_log_or_journal(
    venue: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with http_world(tmp_path / "home", venue, CARD) as world:
        world.chloe("live", "arm", "ETHUSDT", "--yes")
        outputs = [world.tick(hour).json() for hour in range(3)]
        outputs += [
            world.chloe(*each.split()).output for each in ("live status", "reconcile", "status", "doctor")
        ]
        assert world.orders_sent() != []
        files = [
            path for path in world.home.path.rglob("*") if path.is_file() and "secrets" not in path.parts
        ]
        holding = [str(path) for path in files if shows_key(path.read_bytes().decode("latin-1"))]
    assert holding == []
    assert [text for text in (*outputs, *capfd.readouterr()) if shows_key(text)] == []


def shows_key(text: str) -> bool:
    return KEY in text or SECRET in text
