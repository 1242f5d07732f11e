"""The loops that run steps: one asset, all assets, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine_alpha.loop import wiring

if TYPE_CHECKING:
    from engine_alpha.loop.live_step import run_step_live

__all__ = ["run_step_live"]


def __getattr__(name: str) -> Any:
    """Load `run_step_live` on first use: whoever only wants the runner need not wait for the kernel."""
    if name != "run_step_live":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return wiring.step_function()
