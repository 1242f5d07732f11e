"""Calibration: a stronger score is never less sure, and at a row the confidence is the row's own."""

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.confidence import confidence_of
from tests.makers import parameters

SHARES = st.floats(0.0, 1.0)
Rows = tuple[tuple[float, float], ...]


@st.composite
def calibrations(draw: st.DrawFn) -> Rows:
    """Draw one to sixteen rows: scores that rise, confidences that do not fall."""
    strengths = sorted(draw(st.sets(SHARES, min_size=1, max_size=16)))
    sure = sorted(draw(st.lists(SHARES, min_size=len(strengths), max_size=len(strengths))))
    return tuple(zip(strengths, sure, strict=True))


def of(score: float, rows: Rows) -> float:
    return confidence_of(score, parameters(calibration=rows))


@given(rows=calibrations(), score=SHARES, other=SHARES)
def test_a_stronger_score_is_never_less_sure(rows: Rows, score: float, other: float) -> None:
    weak, strong = sorted((score, other))
    assert of(weak, rows) <= of(strong, rows)


@given(rows=calibrations())
def test_at_a_row_the_confidence_is_the_rows_own_to_the_bit(rows: Rows) -> None:
    assert [of(strength, rows) for strength, _ in rows] == [sure for _, sure in rows]


@given(rows=calibrations(), score=SHARES)
def test_both_directions_are_as_sure_and_never_beyond_the_ends(rows: Rows, score: float) -> None:
    assert of(-score, rows) == of(score, rows)
    assert rows[0][1] <= of(score, rows) <= rows[-1][1]


@given(score=st.floats(-1.0, 1.0))
def test_without_rows_the_confidence_is_the_strength_of_the_score(score: float) -> None:
    assert of(score, ()) == abs(score)


def test_between_rows_the_line_is_straight_and_beyond_them_flat() -> None:
    rows = ((0.2, 0.3), (0.4, 0.5), (0.8, 0.6))
    assert [of(score, rows) for score in (0.0, 0.1, 0.9, 1.0)] == [0.3, 0.3, 0.6, 0.6]
    assert abs(of(0.3, rows) - 0.4) < 1e-15
    assert abs(of(0.6, rows) - 0.55) < 1e-15
