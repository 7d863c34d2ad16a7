"""Commands as processes of their own, without the second that each fresh interpreter takes to load the program.

One process a worker has loaded it and forks for every command; a child gets its own arguments, environment, input and
pipes, and ends as the program ends. Where the loading itself is what a test is about, it starts the program itself
(``NodeProcess.program``). Not on Windows: there is no fork.
"""

from __future__ import annotations

import atexit
import base64
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import Any

SECONDS_MAX = 60.0
_LOCK = threading.Lock()
_STARTED: list[subprocess.Popen[bytes]] = []


def run(arguments: list[str], env: dict[str, str], text: str | None) -> subprocess.CompletedProcess[str]:
    """Carry out ``python -m app`` with these arguments; raises TimeoutExpired as ``subprocess.run`` does."""
    asked = {"arguments": arguments, "env": env, "text": text, "cwd": os.getcwd()}
    with _LOCK:
        stem = _stem()
        assert stem.stdin is not None and stem.stdout is not None
        stem.stdin.write(json.dumps(asked).encode() + b"\n")
        stem.stdin.flush()
        told = json.loads(stem.stdout.readline())
    if told["status"] is None:
        raise subprocess.TimeoutExpired(arguments, SECONDS_MAX)
    out, err = (base64.b64decode(told[name]).decode("utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(arguments, told["status"], out, err)


def _stem() -> subprocess.Popen[bytes]:
    if not _STARTED:
        _STARTED.append(
            subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        atexit.register(_end)
    return _STARTED[0]


def _end() -> None:
    stem = _STARTED.pop()
    stem.communicate(timeout=10)


def _serve() -> None:
    """In the stem: load the program, then fork for each line that comes."""
    from app.cli import COMMANDS

    for verb in COMMANDS:
        name = verb.replace("-", "_") + "_" * (verb == "import")
        if verb not in ("serve", "bench", "demo"):
            importlib.import_module(f"app.commands.{name}")
    importlib.import_module("app.node")
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(json.dumps(_forked(json.loads(line))).encode() + b"\n")
        sys.stdout.buffer.flush()


def _forked(asked: dict[str, Any]) -> dict[str, Any]:
    ends = [os.pipe() for _ in range(3)]
    pid = os.fork()
    if pid == 0:
        _become(asked, [ends[0][0], ends[1][1], ends[2][1]])
    for end in (ends[0][0], ends[1][1], ends[2][1]):
        os.close(end)
    said = _converse(ends[0][1], [ends[1][0], ends[2][0]], (asked["text"] or "").encode())
    if said is None:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    out, err = said or (b"", b"")
    return {
        "status": None if said is None else os.waitstatus_to_exitcode(status),
        "out": base64.b64encode(out).decode(),
        "err": base64.b64encode(err).decode(),
    }


def _converse(to_child: int, from_child: list[int], text: bytes) -> tuple[bytes, bytes] | None:
    """What the child printed on its two outputs; None where it took too long."""
    said: dict[int, bytes] = dict.fromkeys(from_child, b"")
    waiting, deadline = list(from_child), time.monotonic() + SECONDS_MAX
    os.set_blocking(to_child, False)
    while True:
        if not text and to_child >= 0:
            os.close(to_child)  # the child reads to this end, also where there was nothing to give
            to_child = -1
        if not waiting and not text:
            break
        left = max(0.0, deadline - time.monotonic())
        readable, writable, _ = select.select(waiting, [to_child] if text else [], [], left)
        if not readable and not writable:
            return None
        if writable:
            try:
                text = text[os.write(to_child, text) :]
            except BrokenPipeError:
                text = b""
        for end in readable:
            said[end] += (read := os.read(end, 1 << 16))
            if not read:
                waiting.remove(end)
    for end in from_child:
        os.close(end)
    return said[from_child[0]], said[from_child[1]]


def _become(asked: dict[str, Any], ends: list[int]) -> None:
    """In the child: be the program, and end as it would."""
    from app.__main__ import main

    status = 1
    try:
        for number, end in enumerate(ends):
            os.dup2(end, number)
        os.closerange(3, 256)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # as the interpreter opens it
        sys.argv = ["app", *asked["arguments"]]
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
