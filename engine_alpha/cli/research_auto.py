"""`auto_adopt` of research.json: passing proposals of coins on paper are adopted by themselves."""

from engine_alpha.cli.research_adopt import armed_in
from engine_alpha.cli.research_proposal import require_adoptable
from engine_alpha.config.research import read_research
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.research.adoption import adopt
from engine_alpha.research.pages.nights import KeptNight

PAPER = "paper"


def adopt_on_paper(home: Home, night: KeptNight, at_ms: int) -> dict[str, str]:
    """Adopt what passes for the coins that research.json names; return what was done by coin.

    A coin that is armed for real orders waits for a person, and so does one whose proposal can't be adopted.
    """
    asked = read_research(home.config / "research.json").auto_adopt
    said: dict[str, str] = {}
    for symbol, document in night.assets.items():
        if asked.get(symbol) != PAPER or not document["passes"]:
            continue
        real = armed_in(home, symbol)
        if real:
            said[symbol] = f"not adopted by itself: it is armed in {', '.join(real)}"
            continue
        try:
            require_adoptable(home, document)
            done = adopt(home, symbol, document["parameters"], night.night, document["sha256"], at_ms)
        except ConfigError as fault:
            said[symbol] = f"not adopted by itself: {fault}"
            continue
        said[symbol] = f"adopted by itself as {done.version}" if done.changed else "trades by this already"
    return said
