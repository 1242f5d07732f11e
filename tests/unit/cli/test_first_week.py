"""The first week, command by command: the tutorial's page says what the commands print."""

import importlib.util
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "docs" / "tutorial" / "first_week.py"


@pytest.mark.timeout(240)
def test_the_tutorials_page_is_what_its_commands_print() -> None:
    spec = importlib.util.spec_from_file_location("first_week", SCRIPT)
    assert spec is not None and spec.loader is not None
    first_week = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(first_week)
    page = Path(first_week.PAGE).read_text(encoding="utf-8")
    assert first_week.rendered(page) == page, "renew it: python docs/tutorial/first_week.py --write"
