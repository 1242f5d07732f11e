"""Run the commands of first-week.md in a fresh home and compare, or with --write renew, what they print.

python docs/tutorial/first_week.py [--write]
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).with_name("first-week.md")
ROOT = PAGE.parents[2]
SHOWN_AS = "/home/me"
FENCE, PROMPT = "```", "$ "


def rendered(text: str) -> str:
    """Return the page with every console block's output as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n".join(_lines(text.splitlines(), Path(folder))) + "\n"


def _lines(lines: list[str], folder: Path) -> Iterator[str]:
    inside, here = False, folder
    for line in lines:
        if line.startswith(FENCE):
            inside = line == f"{FENCE}console"
            yield line
        elif not inside:
            yield line
        elif line.startswith(PROMPT):
            yield line
            words = shlex.split(line.removeprefix(PROMPT))
            if words[0] == "cd":
                here = here / words[1]
            else:
                yield from _output(words, here).replace(str(folder), SHOWN_AS).splitlines()


def _output(words: list[str], here: Path) -> str:
    """Return what a `chloe` command prints; its last line is the exit code where that is not 0."""
    environment = {name: value for name, value in os.environ.items() if name != "CHLOE_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "engine_alpha", *words[1:]],
        cwd=here,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if words[0] != "chloe" or done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def main() -> int:
    """Compare or write; return 1 where the page is not what the commands print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    before = PAGE.read_text(encoding="utf-8")
    after = rendered(before)
    if parser.parse_args().write:
        PAGE.write_text(after, encoding="utf-8")
        return 0
    return int(after != before)


if __name__ == "__main__":
    sys.exit(main())
