"""What one night hands to the next: the compiled road's state, rows still without their forward returns, and
the scores at which open trades were entered. One .npz file, without pickles.
"""

import io
from dataclasses import dataclass
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from engine_alpha.backtest.run import Road
from engine_alpha.backtest.stepping import LAST_INDEX
from engine_alpha.backtest.world import State
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.errors import DataError
from engine_alpha.research.dataset.schema import BAR_COLUMNS, Columns, empty_rows

KEPT: Final = ("ints", "tallies", "shadow_ints", "shadow_tallies", "account_ints", "held", "total")
"""Parts of the state that outlast a run; all others say where it is in its columns and begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """`pending` are decided bars whose longest forward return is not known yet; `scored` and `scores` the bar
    numbers on which trades that are open were decided, ascending, and the scores there.
    """

    state: dict[str, Any]
    pending: Columns
    scored: Ints
    scores: Floats

    @property
    def last_index(self) -> int:
        """Return the number of the newest bar that was advanced, -1 for none."""
        return int(self.state["ints"][0, LAST_INDEX]) if self.state else -1


def nothing_carried() -> Carried:
    """Return what there is before the first night."""
    return Carried(
        state={}, pending=empty_rows(), scored=np.empty(0, np.int64), scores=np.empty(0, np.float64)
    )


def kept_of(state: State) -> dict[str, Any]:
    """Return the parts of a state that outlast its run."""
    return {name: getattr(state, name) for name in KEPT}


def resumed(road: Road, carried: Carried) -> State:
    """Return the road's first state with everything that outlasts a run as it was left."""
    state = road.state()
    if not carried.state:
        return state
    kept: dict[str, Any] = {}
    for name in KEPT:
        wanted = getattr(state, name)
        found = np.array(carried.state[name], dtype=wanted.dtype, copy=True)
        if found.shape != wanted.shape:
            raise DataError("carried_state", f"{name} has shape {found.shape}, {wanted.shape} is needed")
        kept[name] = found
    kept["floats"] = kept["ints"].view(np.float64)
    kept["shadow_floats"] = kept["shadow_ints"].view(np.float64)
    kept["account_floats"] = kept["account_ints"].view(np.float64)
    return state._replace(**kept)


def packed(carried: Carried) -> bytes:
    """Return what is carried as the bytes of a file."""
    buffer = io.BytesIO()
    parts = {f"state.{name}": value for name, value in carried.state.items()}
    parts |= {f"row.{name}": column for name, column in carried.pending.items()}
    np.savez(buffer, scored=carried.scored, scores=carried.scores, **parts)
    return buffer.getvalue()


def unpacked(content: bytes) -> Carried:
    """Return what a file carries; raise `DataError` where it is not one of ours."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return Carried(
                state={name: found[f"state.{name}"] for name in KEPT},
                pending={name: found[f"row.{name}"] for name in BAR_COLUMNS},
                scored=found["scored"],
                scores=found["scores"],
            )
    except (KeyError, ValueError, OSError, BadZipFile) as error:
        raise DataError("carried_state", f"what the last night left can't be read: {error}") from error
