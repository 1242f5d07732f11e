"""The pages as text: self-contained, escaped, every figure of the documents in them. Looks: tests/page."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.errors import ConfigError
from engine_alpha.reports.research import (
    expected_words,
    factor_of,
    first_words,
    limit_words,
    mean_words,
    seen_words,
)
from engine_alpha.reports.words import factor_value, interval, multiple_of_risk, percent
from engine_alpha.research.documents import sha256_of
from engine_alpha.research.edge.bands import Bands
from engine_alpha.research.edge.calibrating import calibration_fields, calibration_of
from engine_alpha.research.edge.cells import edge_of, edge_rows
from engine_alpha.research.edge.trades import Pool
from engine_alpha.research.pages.cells import calibration_part, edge_part
from engine_alpha.research.pages.nights import SCHEMA, kept_nights, night_before, night_in, read_night
from engine_alpha.research.pages.plots import curves, steps
from engine_alpha.research.pages.writing import write_pages
from tests.unit.research.edge.pools import a_pool, a_table, told
from tests.unit.research.pages.documents import (
    BEFORE,
    CARDS,
    NIGHT,
    SYMBOLS,
    asset_document,
    night_document,
    null_rate,
    usual_night,
    write_night,
)

WICKED = "</style></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
VOID = {"meta", "link"}


class Structure(HTMLParser):
    """Checks that elements are closed in order, and collects them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def structure(text: str) -> Structure:
    found = Structure()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


def pages(folder: Path) -> dict[str, str]:
    """Draw a night and return its pages by name."""
    night = night_in(folder)
    written = write_pages(night, night_before(folder.parent.parent, night.night))
    return {path.stem: path.read_text(encoding="utf-8") for path in written}


@pytest.fixture
def drawn(tmp_path: Path) -> dict[str, str]:
    """Return the pages of the usual night."""
    return pages(usual_night(tmp_path))


def test_there_is_an_overview_and_a_page_for_every_coin(drawn: dict[str, str]) -> None:
    assert list(drawn) == ["index", *SYMBOLS]


def test_pages_are_whole_and_ask_for_nothing(drawn: dict[str, str]) -> None:
    for text in drawn.values():
        seen = structure(text).seen
        assert not [tag for tag, _ in seen if tag in ("script", "img", "iframe", "object")]
        links = [found["href"] for tag, found in seen if tag == "a"]
        assert links and all(re.fullmatch(r"[A-Za-z0-9]+\.(html|json)", str(link)) for link in links)
        assert not re.search(r"""(src|href|url|@import)\s*[=(:]?\s*['"]?\s*(https?:)?//""", text)
        policy = next(found["content"] for tag, found in seen if tag == "meta" and "http-equiv" in found)
        assert str(policy).startswith("default-src 'none'; style-src")


def test_every_link_leads_to_a_file_of_the_night(tmp_path: Path) -> None:
    folder = usual_night(tmp_path)
    for text in pages(folder).values():
        for tag, found in structure(text).seen:
            if tag == "a":
                assert (folder / str(found["href"])).is_file()


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    text = json.dumps(night_document(notes=[WICKED], faults={"XRPUSDT": WICKED}))
    text = text.replace(CARDS[1], json.dumps(WICKED)[1:-1])
    coin = json.dumps(asset_document("ETHUSDT", notes=[WICKED], words=WICKED, fault=WICKED, adopt=WICKED))
    coin = coin.replace(CARDS[1], json.dumps(WICKED)[1:-1])
    folder = write_night(tmp_path, json.loads(text), [json.loads(coin), asset_document("BTCUSDT")])
    for page in pages(folder).values():
        seen = structure(page).seen
        assert not [tag for tag, _ in seen if tag in ("script", "img")]
        assert not [name for _, found in seen for name in found if name.startswith("on")]
    assert WICKED in unescape(pages(folder)["index"])


def figures(found: Any) -> list[str]:
    """Return what must stand in a page for a document: tests, profit factors, estimates, sums of R."""
    if isinstance(found, list):
        return [text for each in found for text in figures(each)]
    if not isinstance(found, dict):
        return []
    if "is_most" in found:
        return [seen_words(found), limit_words(found)]
    if "no_losses" in found:
        made = factor_of(found)
        return [f"{made.trades:,}", factor_value(made), interval(made)] if made.trades else []
    if "factor_low" in found:
        return [expected_words(found), mean_words(found)]
    return [text for each in found.values() for text in figures(each)]


def test_every_figure_of_the_documents_stands_in_the_pages(drawn: dict[str, str]) -> None:
    document, asset = night_document(), asset_document("ETHUSDT")
    overview, page = ("".join(structure(drawn[name]).text) for name in ("index", "ETHUSDT"))
    wanted = figures(document)
    assert len(wanted) > 60 and [text for text in wanted if text not in overview] == []
    wanted = figures(asset) + [f"{fold['net_r']:+.2f}" for fold in asset["folds"] if fold["values"]]
    wanted += [*asset["changes"], *asset["notes"], asset["words"], asset["adopt"]]
    assert [text for text in wanted if text not in page] == []
    for text in ("1.37", "-0.44", "512", "0.021", "0.37", "61.7"[:2], "812", "14.5", "96 trials", "2 of 60"):
        assert text in overview
    assert json.dumps(asset["parameters"], indent=2) in unescape(drawn["ETHUSDT"])


def test_plain_words_come_first(drawn: dict[str, str]) -> None:
    text = "".join(structure(drawn["index"]).text)
    first = first_words(night_document())
    assert first[0] == "Proposals for 1 of 2 coins pass every test: ETHUSDT."
    places = [text.index(line) for line in first]
    assert places == sorted(places) and places[-1] < text.index("coinverdictcards")
    assert "chloe research adopt ETHUSDT --night 2026-11-28" in first[-1]


def test_a_coin_that_does_not_pass_has_no_command_to_adopt(drawn: dict[str, str]) -> None:
    assert "chloe research adopt" not in drawn["BTCUSDT"]
    assert "There is nothing to adopt" in drawn["BTCUSDT"]
    assert "chloe research revert ETHUSDT" in drawn["ETHUSDT"]


def test_a_night_in_which_every_coin_failed_is_still_a_page(tmp_path: Path) -> None:
    empty = asset_document("ETHUSDT", fault="no bars", passes=False, factor=None, expected=None, folds=[])
    empty |= {"tests": [], "cards": [], "parameters": None, "adopt": None, "verdict": "not looked at"}
    nothing = {"symbols": [], "trials": None, "together": [], "overfitting": None, "cards": []}
    gone = night_document(
        **nothing,
        faults={"ETHUSDT": "no bars"},
        correlation={"symbols": [], "values": []},
        null_rate=null_rate(0, 0),
        assets=[
            {
                name: empty[name]
                for name in ("symbol", "verdict", "words", "passes", "factor", "expected", "adopt")
            }
        ],
    )
    found = pages(write_night(tmp_path, gone, [empty]))
    text = "".join(structure(found["index"]).text)
    assert "1 coin could not be looked at: ETHUSDT" in text and "not known yet" in text
    assert "no bars" in "".join(structure(found["ETHUSDT"]).text)


def test_the_night_before_is_compared(tmp_path: Path) -> None:
    usual_night(tmp_path, BEFORE)
    moved = night_document()
    moved["cards"][0]["coins"][0]["expected"] |= {"factor": 9.5, "factor_low": 8.0, "factor_high": 11.0}
    moved["cards"][0]["coins"][1]["factor"]["trades"] += 5
    moved["cards"][1]["tests"][0]["passed"] = True
    moved["assets"][1]["verdict"] = "trade"
    folder = write_night(tmp_path, moved, [asset_document("ETHUSDT"), asset_document("BTCUSDT")])
    text = "".join(structure(pages(folder)["index"]).text)
    assert f"Since {BEFORE} changed: BTCUSDT nothing → trade; 1 coin with other figures." in text
    assert "momentum-long: PF to expect 9.50 (8.00 – 11.00) lies outside of what it was, 1.62" in text
    assert "range-dip: trades passes now" in text and "+5" in text


def test_the_same_night_twice_has_nothing_to_say_of_change(tmp_path: Path) -> None:
    usual_night(tmp_path, BEFORE)
    text = "".join(structure(pages(usual_night(tmp_path))["index"]).text)
    assert f"Since {BEFORE} nothing changed but trades that were added." in text


def test_the_first_night_has_none_before_it(drawn: dict[str, str]) -> None:
    assert "There is no night before this one." in drawn["index"]


def test_pages_of_equal_documents_are_equal_bytes(tmp_path: Path) -> None:
    assert pages(usual_night(tmp_path / "one")) == pages(usual_night(tmp_path / "two"))


def coins_pool(count: int = 400) -> Pool:
    """Return would-be trades of two coins whose confidence tells something."""
    return a_pool(ETHUSDT=a_table(*told(count, 1)), BTCUSDT=a_table(*told(count, 2)))


def test_the_edge_of_every_cell_stands_in_the_page_as_it_was_measured() -> None:
    edge = edge_of(coins_pool(), ("quick", "idle"), Bands(edges=(0.2, 0.4), said="", fitted_before_ms=0))
    rows = json.loads(json.dumps(edge_rows(edge, "ETHUSDT")))
    text = "".join(structure(edge_part(rows)).text)
    shown = [row for row in rows if row["trades"] or not (row["regime"] or row["band"])]
    assert "trend up" not in text and len(shown) == 6 and {row["band"] for row in shown} > {None, "low"}
    for row in shown:
        assert multiple_of_risk(row["shrunk_r"]) in text and row["words"] in text
    for row in (each for each in shown if each["trades"]):
        assert f"{multiple_of_risk(row['mean_low'])} – {multiple_of_risk(row['mean_high'])}" in text
    assert edge_part([]) == ""


def test_a_calibration_is_told_drawn_and_listed() -> None:
    found = calibration_of(coins_pool(), "ETHUSDT")
    fields = json.loads(json.dumps(calibration_fields(found)))
    assert found.judged is not None and found.fitted is not None
    made = calibration_part(fields)
    text = "".join(structure(made).text)
    assert found.words in text and f"{found.judged.skill.brier:.4f}" in text
    circles = [tag for tag, _ in structure(made).seen if tag == "circle"]
    assert len(circles) == len(found.judged.bins)
    assert all(percent(chance) in text for chance in found.fitted.curve.probabilities)


def test_a_coin_with_too_few_trades_for_a_calibration_says_so() -> None:
    fields = calibration_fields(calibration_of(coins_pool(30), "ETHUSDT"))
    text = "".join(structure(calibration_part(fields)).text)
    assert "too few trades" in text and calibration_part(None) == ""


def test_the_curve_ends_where_all_results_add_up() -> None:
    made = curves("sums", ["a", "b", "c"], {"one": [1.0, -2.0, 4.5], "none": [0.0, 0.0, 0.0]})
    assert "one +3.50 R" in made and "none +0.00 R" in made
    assert steps(-1.0, 3.5) == [-1.0, 0.0, 1.0, 2.0, 3.0]


def test_a_sample_document_has_the_hash_that_adopting_asks_for() -> None:
    found = asset_document("ETHUSDT")
    assert found["sha256"] == sha256_of(found)


def test_without_a_night_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no night yet: chloe research run"):
        read_night(tmp_path)


def test_an_unknown_night_is_refused_with_those_there_are(tmp_path: Path) -> None:
    usual_night(tmp_path)
    with pytest.raises(ConfigError, match=f'no night "../../etc"; the last ones are {NIGHT}'):
        read_night(tmp_path, "../../etc")
    assert kept_nights(tmp_path) == (NIGHT,)


def test_a_damaged_coin_leaves_the_others(tmp_path: Path) -> None:
    folder = usual_night(tmp_path)
    (folder / "BTCUSDT.json").write_text("{")
    night = night_in(folder)
    assert list(night.assets) == ["ETHUSDT"]
    with pytest.raises(
        ConfigError, match=f"damaged: run that night again: chloe research run --night {NIGHT}"
    ):
        night.asset("BTCUSDT")
    assert "was damaged" in "".join(structure(pages(folder)["index"]).text)


def test_a_night_of_another_schema_is_refused(tmp_path: Path) -> None:
    folder = write_night(tmp_path, night_document() | {"schema": SCHEMA - 1}, [])
    with pytest.raises(ConfigError, match=f"of schema {SCHEMA - 1}, this version of Chloe reads {SCHEMA}"):
        night_in(folder)
    usual = usual_night(tmp_path, "2026-11-29")
    assert night_before(tmp_path, night_in(usual).night) is None


def test_an_unknown_coin_is_refused_with_those_there_are(tmp_path: Path) -> None:
    night = replace(night_in(usual_night(tmp_path)))
    with pytest.raises(ConfigError, match="did not look at DOGEUSDT; it has ETHUSDT, BTCUSDT"):
        night.asset("DOGEUSDT")
