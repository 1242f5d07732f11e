"""Alert targets are secrets: read from where only their owner can read them, and never shown."""

import json
import traceback
from pathlib import Path

import pytest

from engine_alpha.config.alert_targets import alert_targets_file, read_alert_targets
from engine_alpha.config.secret_files import CREDENTIALS_VARIABLE
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

TARGET = "tgram://PlantedToken0123456789/PlantedChat"
GOOD = json.dumps({"targets": [TARGET, "json://user:PlantedPassword@127.0.0.1:1/hook"]})


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS_VARIABLE, raising=False)


def planted(home: Path, text: str = GOOD, mode: int = 0o600) -> Path:
    path = alert_targets_file(Home(home))
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refusal(home: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_alert_targets(Home(home))
    assert "Planted" not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_alert_targets(Home(tmp_path)) == ()


def test_targets_are_read_in_their_order_each_once(tmp_path: Path) -> None:
    planted(tmp_path, json.dumps({"targets": ["a://1", TARGET, "a://1"]}))
    assert read_alert_targets(Home(tmp_path)) == ("a://1", TARGET)
    planted(tmp_path, '{"targets": []}')
    assert read_alert_targets(Home(tmp_path)) == ()


def test_systemd_s_credential_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path, "broken")
    (tmp_path / "alerts.json").write_text(json.dumps({"targets": [TARGET]}))
    (tmp_path / "alerts.json").chmod(0o440)
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path))
    assert read_alert_targets(Home(tmp_path)) == (TARGET,)


def test_a_file_that_others_could_read_is_refused(tmp_path: Path) -> None:
    path = planted(tmp_path, mode=0o644)
    told = refusal(tmp_path)
    assert told.endswith(f"has mode 0644, others may get at the addresses: chmod 600 {path}")


def test_a_link_to_nothing_is_a_missing_file_not_none(tmp_path: Path) -> None:
    path = alert_targets_file(Home(tmp_path))
    path.parent.mkdir()
    path.symlink_to(tmp_path / "away")
    assert "no such file" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (GOOD[:-1], "is not JSON"),
        (json.dumps([TARGET]), "is not JSON"),
        (json.dumps({"target": [TARGET]}), 'must have exactly "targets"'),
        (json.dumps({"targets": TARGET}), "must be a list of at most 20"),
        (json.dumps({"targets": [f"a://{n}" for n in range(21)]}), "must be a list of at most 20"),
        (json.dumps({"targets": ["a://1", "PlantedToken"]}), "target 2 is no address"),
        (json.dumps({"targets": [None]}), "target 1 is no address"),
        (json.dumps({"targets": ["tgram://"]}), "target 1 is no address"),
        (json.dumps({"targets": [TARGET + " x"]}), "target 1 has spaces"),
        (json.dumps({"targets": [TARGET + "é"]}), "target 1 has spaces"),
        (json.dumps({"targets": [TARGET + "é"]}, ensure_ascii=False), "has characters that no address has"),
    ],
)
def test_what_is_wrong_inside_is_told_without_showing_it(tmp_path: Path, text: str, message: str) -> None:
    path = planted(tmp_path, text)
    told = refusal(tmp_path)
    assert told.startswith(str(path)) and message in told
