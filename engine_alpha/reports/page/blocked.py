"""Why entries were blocked: which gates refused what a card wanted, over all coins and per coin."""

from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import bar, drawing, section, table, term
from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import GateCount, Statistics
from engine_alpha.reports.terms import GATE_WORDS
from engine_alpha.reports.words import count, percent


def blocked(run: Run, found: Statistics) -> Html:
    """Return the table over all coins and, folded up, the one per coin."""
    refusing = [gate for gate in found.gates if gate.blocked]
    wanted = found.wanted
    title = "Why entries were blocked"
    if not refusing:
        said = "A card fired, and nothing stood in its way." if wanted else "No card fired on any bar."
        return section(title, element("p", said), id_="blocked")
    rows = [
        [
            _meaning(gate.gate),
            f"{gate.blocked:,}",
            percent(gate.blocked / wanted if wanted else None, 0),
            _drawing(gate, wanted),
            f"{gate.failed:,}",
        ]
        for gate in refusing
    ]
    heads = [term("gate"), "refused", "of them", "", "said no in all"]
    about = (
        f"A card fired on {count(wanted, 'bar')}. Each gate refused so many of them; several may refuse"
        " the same bar. The last column counts all bars, also those on which no card fired."
    )
    return section(
        title,
        table(heads, rows, class_="numbers blocked"),
        _per_coin(run, refusing),
        about=about,
        id_="blocked",
    )


def _meaning(gate: str) -> Html:
    """Return what a refusal means, with the gate's own name below."""
    return joined(GATE_WORDS.get(gate, gate), element("small", gate))


def _drawing(gate: GateCount, wanted: int) -> Html:
    share = gate.blocked / wanted if wanted else 0.0
    return drawing(
        f"{gate.gate} {percent(share)}", bar(0.0, 100.0 * min(share, 1.0), "level"), class_="share"
    )


def _per_coin(run: Run, refusing: list[GateCount]) -> Html:
    if len(run.coins) < 2:
        return Html("")
    heads = ["coin", "a card fired", *(gate.gate for gate in refusing)]
    rows = [
        [
            coin.symbol,
            f"{coin.wanted:,}",
            *(f"{gate.blocked_per_coin.get(coin.symbol, 0):,}" for gate in refusing),
        ]
        for coin in run.coins
    ]
    return element("details", element("summary", "per coin"), table(heads, rows, class_="numbers per-coin"))
