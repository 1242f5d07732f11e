"""The top of a page: what it is about, the numbers that matter most, and what to beware of."""

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.reports.backtest import (
    ambiguous_words,
    funding_words,
    no_decision_words,
    ratio,
    signed_percent,
)
from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import signed, term, tile
from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import Statistics
from engine_alpha.reports.words import (
    count,
    day,
    factor_value,
    gain,
    held,
    interval,
    money,
    multiple_of_risk,
    percent,
)
from engine_alpha.times import minute

FEW_TRADES = 50  # below, the interval is too narrow (kernel.profit_factor)
MOST_REASONS = 12  # why bars have no decision; a thousand coins have thousands
FEW_DAYS = 90  # below, ratios of daily returns say next to nothing


def head(run: Run) -> Html:
    """Return the title, where the prices come from, and which time it is about."""
    frames = sorted({coin.timeframe_ms for coin in run.coins})
    names = {frame_ms: name for name, frame_ms in TIMEFRAME_MS.items()}
    bars = " and ".join(names.get(frame_ms, held(frame_ms)) for frame_ms in frames)
    span = f"{minute(run.from_ms)} to {minute(run.to_ms)} UTC"
    facts = [run.source, span, f"{count(len(run.coins), 'coin')}, bars of {bars}" if frames else "no bars"]
    banner = Html("")
    if run.simulated:
        told = "No market made these prices: they are computed. Nothing here says what real ones would do."
        banner = element("p", element("strong", "SIMULATED PRICES"), " ", told, class_="simulated")
    return element(
        "header", element("h1", run.title), element("p", " · ".join(facts), class_="facts"), banner
    )


def tiles(run: Run, found: Statistics) -> Html:
    """Return the numbers that matter most, each with what stands beside it."""
    account, whole = found.account, found.whole
    result = gain(account.end_quote - account.start_quote)
    deepest = account.drawdown
    fallen = "none" if deepest is None or deepest.frac == 0.0 else percent(deepest.frac)
    return element(
        "div",
        tile(
            "Result",
            signed(f"{result} {run.quote_ccy}"),
            _result(found),
        ),
        tile(term("PF", "Profit factor"), factor_value(whole.net), _interval(found)),
        tile(term("max drawdown", "Max drawdown"), fallen, _drawdown(found)),
        tile(
            term("Sharpe"),
            ratio(account.sharpe),
            joined(
                term("Sortino"), f" {ratio(account.sortino)} · ", term("Calmar"), f" {ratio(account.calmar)}"
            ),
        ),
        tile(
            term("growth a year", "Growth a year"),
            signed(signed_percent(account.growth_frac)),
            _over(account.days),
        ),
        tile(term("trades", "Trades"), f"{whole.trades:,}", _won(found)),
        tile(
            term("exposure", "In the market"),
            percent(account.exposure_frac, 0),
            f"of the time; {percent(account.notional_frac)} of equity held on average",
        ),
        tile(
            term("SQN", "System quality"),
            ratio(whole.sqn),
            f"longest losing run {count(whole.losing_run, 'trade')}",
        ),
        class_="tiles",
    )


def _result(found: Statistics) -> str:
    account = found.account
    words = f"{signed_percent(account.return_frac)} on {money(account.start_quote)}"
    open_part = gain(account.open_quote)
    return words if open_part == "0.00" else f"{words}; {open_part} of it in open positions"


def _interval(found: Statistics) -> Html:
    if found.whole.net.low is None:
        return joined("after all costs")
    return joined(term("95 % interval"), f" {interval(found.whole.net)}")


def _drawdown(found: Statistics) -> str:
    deepest = found.account.drawdown
    if deepest is None or deepest.frac == 0.0:
        return "equity never fell"
    ending = "recovered" if deepest.over else "not over yet"
    return f"{money(deepest.quote)}; {deepest.days:,.1f} days from {day(deepest.from_ms)}, {ending}"


def _won(found: Statistics) -> Html:
    if not found.whole.trades:
        return joined("none closed")
    won = percent(found.whole.net.win_frac, 0)
    return joined(f"{won} won; {multiple_of_risk(found.whole.expectancy_r)} ", term("R"), " each on average")


def _over(days: float) -> str:
    return f"over {days:,.0f} days" if days >= 2 else "unknown: less than two days"


def cautions(run: Run, found: Statistics) -> Html:
    """Return what the reader should know before believing the numbers; nothing if there is nothing."""
    trades = found.whole.trades
    told = []
    if trades == 0:
        told.append("No trade was closed: the profit factor is unknown.")
    elif trades < FEW_TRADES:
        told.append(f"With {count(trades, 'trade')}, the true profit factor's interval is wider than shown.")
    if found.account.sharpe is not None and found.account.days < FEW_DAYS:
        days = f"{found.account.days:,.0f} days"
        told.append(f"Growth a year, Sharpe, Sortino and Calmar are of {days}: too few to mean much.")
    if found.whole.ambiguous:
        told.append(f"Ambiguous: {ambiguous_words(found.whole)}.")
    if run.funding_unknown_bars:
        told.append(f"Funding is {funding_words(run)}.")
    told += [f"{note}." for note in run.notes]
    missing = no_decision_words(run)
    told += [f"{line}." for line in missing[:MOST_REASONS]]
    if len(missing) > MOST_REASONS:
        told.append(f"And {count(len(missing) - MOST_REASONS, 'reason')} more for bars without a decision.")
    if not told:
        return Html("")
    return element(
        "section",
        element("h2", "Before you believe it"),
        element("ul", *(element("li", line) for line in told)),
        class_="cautions",
    )
