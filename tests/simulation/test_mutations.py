"""The net has no hole: each fault put into the engine on purpose is found within a few seeds."""

import pytest

from tests.simulation.mutations import MUTATIONS, first_found


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_on_purpose_is_found(name: str) -> None:
    found = first_found(MUTATIONS[name])
    assert found is not None, f"{name}: not found within {MUTATIONS[name].seeds} seeds"
    tried, outcome = found
    print(f"{name}: found after {tried} seeds, in seed {outcome.seed}: {outcome.violations[0]}")
