"""A child that works on a stranger's file ends with whoever started it, at whatever moment that is stopped."""

from __future__ import annotations

import subprocess
import threading

import pytest

from app import child


def test_ctrl_c_while_the_child_starts_leaves_neither_the_child_nor_a_clock_that_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    clocks: list[threading.Timer] = []
    popen, start = subprocess.Popen, threading.Timer.start

    def remembered(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return started[-1]

    def interrupted(clock: threading.Timer) -> None:
        clocks.append(clock)
        start(clock)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", remembered)
    monkeypatch.setattr(threading.Timer, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.run("app.imports.work", {}, memory_mb=512, cpu_s=5, wall_s=600)
    assert started[0].poll() is not None, "the child has ended"
    clocks[0].join(10)
    assert not clocks[0].is_alive() and clocks[0].daemon
