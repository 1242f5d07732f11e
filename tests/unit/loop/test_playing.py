"""`chloe run --play`: weeks of the simulated market in moments, by the service itself."""

import re
from pathlib import Path

import pytest

from engine_alpha.errors import ConfigError
from engine_alpha.loop.service.playing import play
from engine_alpha.times import parse_iso
from tests.unit.loop.runs import DECISION, a_home, assert_sound, decision_lines, journal_of

FIRST, THEN, END = (parse_iso(day) for day in ("2026-10-01", "2026-10-02", "2026-10-03"))


def test_a_span_is_played_close_by_close_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    once, twice = a_home(tmp_path / "once"), a_home(tmp_path / "twice")
    told = play(once, FIRST, END)
    found = re.fullmatch(
        r"played .* on simulated prices: (\d+) bars decided, (\d+) trades closed; next: .*", told
    )
    assert found is not None and found[1] == "49" and int(found[2]) > 0
    play(twice, FIRST, THEN)
    play(twice, THEN, END)
    one, two = journal_of(once, "simulated"), journal_of(twice, "simulated")
    assert decision_lines(one, "ETHUSDT") == decision_lines(two, "ETHUSDT")
    assert len(list(one.events(DECISION))) == 49
    assert_sound(one)


@pytest.mark.parametrize(("begin", "until"), [(THEN, FIRST), (FIRST, parse_iso("2999-01-01"))])
def test_a_span_that_is_not_over_or_ends_first_is_refused(tmp_path: Path, begin: int, until: int) -> None:
    with pytest.raises(ConfigError, match="FROM before UNTIL"):
        play(a_home(tmp_path), begin, until)


def test_what_was_decided_is_not_played_over(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    play(home, FIRST, THEN)
    with pytest.raises(ConfigError, match="already"):
        play(home, FIRST, END)
