"""The whole procedure: play every trial, choose by walk-forward, judge, propose.

It is a function of prices, configuration and the number of trials ever made, so that it can be run on markets
without any edge, to see how often it fires there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine_alpha.backtest.trials import TrialLedger
from engine_alpha.config.research import ResearchConfig
from engine_alpha.errors import ChloeError
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.research.search.counting import begun, finished
from engine_alpha.research.search.judging import CardVerdict, Night, Test, judge, night_of
from engine_alpha.research.search.playing import Unit, UnitResult, play
from engine_alpha.research.search.proposing import Judged, Proposal, proposals_of
from engine_alpha.research.search.space import CardSpace, card_spaces
from engine_alpha.research.search.walking import Choice, Played, Walked, choose, walk
from engine_alpha.research.statistics.folds import Fold, walk_forward

Outcome = UnitResult | str
"""What a unit came to, or in words why nothing."""

Runner = Callable[[Sequence[Unit]], Iterable[Outcome]]
"""Plays units, in any place and in any order, and gives their results in the order of the units."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to investigate: a setup as `for_history` made it, prices, and what research.json asks for."""

    setup: Setup = field(repr=False)
    history: History
    terms: ResearchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """All that one run of the procedure found. `faults` says by coin why it could not be looked at."""

    history: History
    symbols: tuple[str, ...]
    faults: dict[str, str]
    folds: tuple[Fold, ...]
    choices: tuple[Choice, ...]
    final: Choice | None
    played: tuple[Played, ...] = field(repr=False)
    walked: tuple[Walked, ...] = field(repr=False)
    night: Night | None = field(repr=False)
    verdicts: tuple[CardVerdict, ...]
    proposals: tuple[Proposal, ...]


def investigate(
    request: Request,
    run: Runner | None = None,
    ledger: TrialLedger | None = None,
    null_rate: Test | None = None,
    progress: Progress = lambda done, total: None,
) -> Investigation:
    """Run the procedure.

    `ledger` counts the trials; without one only tonight's count. `null_rate` is a gate more for every
    proposal. Raises `ConfigError` where nothing can be tried at all.
    """
    spaces = card_spaces(request.setup, request.terms.search)
    studies = [] if ledger is None else begun(ledger, request.setup, request.history, spaces)
    played, symbols, faults = _played(request, spaces, run or inline, progress)
    ever = _ever(ledger, spaces, request.history.symbols)
    if not symbols:
        return _nothing(request, faults)
    if ledger is not None:
        finished(ledger, studies, played)
    folds = folds_of(request)
    choices, walked = walk(played, folds)
    final = choose(played, request.history.to_ms // DAY_MS * DAY_MS)
    night = night_of(played, walked, final, request.terms.gates, ever)
    verdicts = tuple(
        judge(card, out, final.places[at], night)
        for at, (card, out) in enumerate(zip(played, walked, strict=True))
    )
    return Investigation(
        history=request.history,
        symbols=symbols,
        faults=faults,
        folds=folds,
        choices=choices,
        final=final,
        played=played,
        walked=walked,
        night=night,
        verdicts=verdicts,
        proposals=proposals_of(
            Judged(played=played, walked=walked, verdicts=verdicts, final=final), null_rate
        ),
    )


def inline(units: Sequence[Unit]) -> Iterator[Outcome]:
    """Play units here, one after the other."""
    for unit in units:
        yield attempted(unit)


def attempted(unit: Unit) -> Outcome:
    """Play a unit; what is wrong with its coin comes back in words."""
    try:
        return play(unit)
    except ChloeError as fault:
        return str(fault)


def folds_of(request: Request) -> tuple[Fold, ...]:
    """Return the folds, cut at midnights."""
    terms, history = request.terms.walk_forward, request.history
    return walk_forward(
        -(-history.from_ms // DAY_MS) * DAY_MS,
        history.to_ms // DAY_MS * DAY_MS,
        terms.folds,
        terms.first_train_frac,
        terms.embargo_days * DAY_MS,
    )


def _ever(ledger: TrialLedger | None, spaces: Sequence[CardSpace], symbols: Sequence[str]) -> int:
    if ledger is None:
        return 0
    return ledger.summary().matching([space.card for space in spaces], symbols)


def _played(
    request: Request, spaces: Sequence[CardSpace], run: Runner, progress: Progress
) -> tuple[tuple[Played, ...], tuple[str, ...], dict[str, str]]:
    """Play every card on every coin; a coin with a fault in one card is left out of all, the others go on."""
    wanted = request.history.symbols
    units = [
        Unit(
            space=space,
            history=replace(request.history, symbols=(symbol,)),
            extra_cost_bps=request.terms.search.extra_cost_bps,
        )
        for symbol in wanted
        for space in spaces
    ]
    found: dict[tuple[str, str], UnitResult] = {}
    faults: dict[str, str] = {}
    for done, (unit, outcome) in enumerate(zip(units, run(units), strict=True), start=1):
        if isinstance(outcome, str):
            faults.setdefault(unit.symbol, outcome)
        else:
            found[unit.symbol, unit.space.card] = outcome
        progress(done, len(units))
    symbols = tuple(symbol for symbol in wanted if symbol not in faults)
    played = tuple(
        Played(
            space=space,
            symbols=symbols,
            results=tuple(found[symbol, space.card] for symbol in symbols),
            complexity_penalty=request.terms.search.complexity_penalty,
        )
        for space in spaces
    )
    return played, symbols, faults


def _nothing(request: Request, faults: dict[str, str]) -> Investigation:
    return Investigation(
        history=request.history,
        symbols=(),
        faults=faults,
        folds=(),
        choices=(),
        final=None,
        played=(),
        walked=(),
        night=None,
        verdicts=(),
        proposals=(),
    )
