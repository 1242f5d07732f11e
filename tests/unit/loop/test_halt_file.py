"""The halt file outlives a power cut and can be read by whoever runs the engine."""

import os
import stat
from pathlib import Path

import pytest

from engine_alpha.loop.halt_file import FILE_NAME, request_halt, requested_halt


def test_another_user_can_read_the_wish(tmp_path: Path) -> None:
    """An operator halts as root, the service runs as its own user: unreadable would mean halted for ever."""
    request_halt(tmp_path, False, "back to work", 5)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) & stat.S_IROTH
    assert requested_halt(tmp_path) == {"halted": False, "reason": "back to work", "at_ms": 5}


def test_the_wish_is_on_disk_when_the_command_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    request_halt(tmp_path, True, "stop", 5)
    assert synced == ["file", "folder"], "a renamed file is safe only with its folder"
