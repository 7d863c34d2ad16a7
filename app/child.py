"""Work on a stranger's file, in a child process with limits: a bomb takes the child down, never the node.

The parent (``run``) sends one request and reads messages until the result; the child (``serve``) is a module that is
run with ``python -m``. Both speak msgpack over the pipes; nothing is written to a disk in clear.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from app.errors import AppError, CommandFailed
from app.process_memory import keep_off_the_disk

READ_BYTES = 1 << 16
Progress = Callable[[str, int, int], None]  # (what, done, of)

_encode = msgspec.msgpack.Encoder().encode


def run(
    module: str,
    request: Mapping[str, Any],
    *,
    memory_mb: int,
    cpu_s: int,
    wall_s: float,
    on_progress: Progress = lambda what, done, of: None,
) -> Any:
    """What ``module`` made of the request. Raises AppError: the child's own refusal, or that it had to be ended."""
    limits = {"memory_mb": memory_mb, "cpu_s": cpu_s}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    timer = threading.Timer(wall_s, process.kill)
    timer.daemon = True  # Ctrl-C may come before it can be cancelled: the command ends all the same
    try:
        timer.start()
        answer = _converse(process, _encode({"limits": limits, "request": dict(request)}), on_progress)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    if answer is None:
        raise CommandFailed(
            "child_ended", "the file took more memory or time than it is given", "Send a smaller or simpler file."
        )
    if "error" in answer:
        raise ChildRefused(**answer["error"])
    return answer["result"]


class ChildRefused(AppError):
    """The child's own refusal: its code, sentence and hint."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(code, message, hint)


def _converse(process: subprocess.Popen[bytes], request: bytes, on_progress: Progress) -> dict[str, Any] | None:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(len(request).to_bytes(8, "big") + request)
        process.stdin.flush()
        for message in _messages(process.stdout):
            if "progress" not in message:
                return message
            on_progress(*message["progress"])
    except (OSError, msgspec.DecodeError):
        return None
    return None


def _messages(stream: Any) -> Iterator[dict[str, Any]]:
    while head := stream.read(8):
        size = int.from_bytes(head, "big")
        yield msgspec.msgpack.decode(stream.read(size))


def serve(handler: Callable[[dict[str, Any], Progress], Any]) -> None:
    """In the child: take the limits, carry out the one request, answer, end."""
    out = sys.stdout.buffer

    def say(message: dict[str, Any]) -> None:
        packed = _encode(message)
        out.write(len(packed).to_bytes(8, "big") + packed)
        out.flush()

    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    wanted = msgspec.msgpack.decode(sys.stdin.buffer.read(size))
    _limit(**wanted["limits"])
    try:
        say({"result": handler(wanted["request"], lambda what, done, of: say({"progress": [what, done, of]}))})
    except AppError as error:
        say({"error": {"code": error.code, "message": str(error), "hint": error.hint}})
    except MemoryError:
        raise SystemExit(1) from None


def _limit(memory_mb: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows: the time limit of the parent is what there is
    keep_off_the_disk()
    for what, limit in ((resource.RLIMIT_AS, memory_mb << 20), (resource.RLIMIT_CPU, cpu_s)):
        _, hard = resource.getrlimit(what)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (most, most))
