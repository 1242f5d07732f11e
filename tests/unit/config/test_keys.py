"""Keys come from where only their owner can read them, and no refusal shows anything of them."""

import json
import os
import traceback
from pathlib import Path

import pytest

from engine_alpha.config.keys import CREDENTIALS_VARIABLE, keys_file, read_keys
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

KEY, SECRET = "PlantedKey0123456789", "PlantedSecret/9876543210+Abc="
GOOD = json.dumps({"key": KEY, "secret": SECRET})


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS_VARIABLE, raising=False)


def planted(home: Path, text: str = GOOD, mode: int = 0o600) -> Path:
    path = keys_file(Home(home), "bybit")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refusal(home: Path) -> str:
    """Return why the keys are refused, after looking through all that a traceback would show of it."""
    with pytest.raises(ConfigError) as caught:
        read_keys(Home(home), "bybit")
    chain: list[BaseException] = [caught.value]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    shown = "".join(traceback.format_exception(caught.value)) + "".join(
        repr((each.args, vars(each), getattr(each, "doc", ""), getattr(each, "object", ""))) for each in chain
    )
    assert not any(part in shown for part in ("Planted", KEY[3:], SECRET[3:])), shown
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    planted(tmp_path, mode=mode)
    assert read_keys(Home(tmp_path), "bybit") == (KEY, SECRET)


def test_each_venue_has_keys_of_its_own(tmp_path: Path) -> None:
    planted(tmp_path)
    with pytest.raises(ConfigError, match=r"binance\.json: no such file"):
        read_keys(Home(tmp_path), "binance")


def test_a_missing_file_is_told_with_what_to_write_and_the_mode(tmp_path: Path) -> None:
    path = keys_file(Home(tmp_path), "bybit")
    told = refusal(tmp_path)
    assert told.startswith(f"{path}: no such file")
    assert '{"key": "...", "secret": "..."}' in told and f"chmod 600 {path}" in told


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o610, 0o700, 0o4600])
def test_a_file_that_others_could_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = planted(tmp_path, mode=mode)
    assert refusal(tmp_path).endswith(f"has mode {mode:04o}, others may get at the keys: chmod 600 {path}")


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planted(tmp_path)
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    told = refusal(tmp_path)
    assert (
        f"belongs to user {owner}, chloe runs as {owner + 1}" in told and f"chown {owner + 1} {path}" in told
    )


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(GOOD)
    elsewhere.chmod(0o644)
    path = keys_file(Home(tmp_path), "bybit")
    path.parent.mkdir()
    path.symlink_to(elsewhere)
    assert "has mode 0644" in refusal(tmp_path)
    elsewhere.chmod(0o600)
    assert read_keys(Home(tmp_path), "bybit") == (KEY, SECRET)
    elsewhere.unlink()
    assert "no such file" in refusal(tmp_path)
    elsewhere.symlink_to(path)
    assert "can't be read" in refusal(tmp_path)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = keys_file(Home(tmp_path), "bybit")
    path.parent.mkdir()
    os.mkfifo(path, 0o600)
    assert "is no regular file" in refusal(tmp_path)
    path.unlink()
    path.mkdir(mode=0o600)
    assert "is no regular file" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (GOOD[:-1], "is not JSON"),
        (f"{KEY}\n{SECRET}\n", "is not JSON"),
        (f"[{GOOD}]", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        (f'{{"key": "{KEY}", "key": "{KEY}", "secret": "{SECRET}"}}', "gives a name twice"),
        ("{}", 'must have exactly "key" and "secret"'),
        (f'{{"key": "{KEY}"}}', "must have exactly"),
        (json.dumps({"key": KEY, "secret": SECRET, "note": "x"}), "must have exactly"),
        (json.dumps({KEY: SECRET}), "must have exactly"),
        (json.dumps({"key": "", "secret": SECRET}), "the key is no text or empty"),
        (json.dumps({"key": KEY, "secret": None}), "the secret is no text or empty"),
        (json.dumps({"key": KEY, "secret": [SECRET]}), "the secret is no text or empty"),
        (json.dumps({"key": KEY + " ", "secret": SECRET}), "the key has spaces"),
        (json.dumps({"key": KEY, "secret": SECRET + "\n"}), "the secret has spaces"),
        (json.dumps({"key": KEY, "secret": SECRET + "é"}), "the secret has spaces"),
        (json.dumps({"key": KEY, "secret": SECRET + "é"}, ensure_ascii=False), "has characters that no key"),
    ],
)
def test_what_is_wrong_inside_is_told_without_showing_it(tmp_path: Path, text: str, message: str) -> None:
    path = planted(tmp_path, text)
    told = refusal(tmp_path)
    assert told.startswith(str(path)) and message in told


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for what systemd made for this service."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    return folder


def hand_over(folder: Path, **parts: str) -> None:
    for part, text in parts.items():
        path = folder / f"bybit.{part}"
        path.write_text(text)
        path.chmod(0o440)  # systemd's own mode where it grants the service access by a list


def test_systemd_s_credentials_come_first(tmp_path: Path, credentials: Path) -> None:
    planted(tmp_path, json.dumps({"key": "other", "secret": "other"}))
    hand_over(credentials, key=KEY + "\n", secret=SECRET)
    assert read_keys(Home(tmp_path), "bybit") == (KEY, SECRET)


def test_without_credentials_for_this_venue_the_file_counts(tmp_path: Path, credentials: Path) -> None:
    (credentials / "binance.key").write_text("x")
    planted(tmp_path)
    assert read_keys(Home(tmp_path), "bybit") == (KEY, SECRET)


def test_half_a_credential_is_refused_not_completed_from_the_file(tmp_path: Path, credentials: Path) -> None:
    planted(tmp_path)
    hand_over(credentials, key=KEY)
    assert "has no bybit.secret: give the service LoadCredential=bybit.secret:" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("secret", "message"), [("", "is empty"), ("\n", "is empty"), (f"{SECRET} {SECRET}", "has spaces")]
)
def test_a_credential_that_can_t_be_used_is_refused(
    tmp_path: Path, credentials: Path, secret: str, message: str
) -> None:
    hand_over(credentials, key=KEY, secret=secret)
    told = refusal(tmp_path)
    assert message in told and "bybit.secret" in told


def test_a_credential_that_is_a_folder_is_refused(tmp_path: Path, credentials: Path) -> None:
    hand_over(credentials, key=KEY)
    (credentials / "bybit.secret").mkdir()
    assert "is no regular file" in refusal(tmp_path)
