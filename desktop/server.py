"""The node behind the window: starts it as a child, waits until it answers, ends it.

`__main__` enters a `NodeProcess`, hands its `url` to `window`, and leaves it when the window has closed.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from desktop.errors import NodeNotReady, PortTaken
from desktop.leash import STOP_WAIT_S

READY_WAIT_S = 30.0  # a node starts in under 2 s; the first start on a slow disk makes its keys and tables
PROBE_TIMEOUT_S = 1.0
PROBE_EVERY_S = 0.1
STDERR_TAIL_LINES = 20
STDERR_LINE_BYTES_MAX = 2000

Command = Callable[[int], list[str]]  # the port → the program and its arguments


class NodeProcess:
    """A node that lives as long as this context; after entering, it answers at `url`."""

    def __init__(self, command: Command, port: int | None = None, ready_wait_s: float = READY_WAIT_S) -> None:
        self.port = port or free_port()
        self._command = command
        self._ready_wait_s = ready_wait_s
        self._leash: subprocess.Popen[bytes] | None = None
        self._stderr_tail: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)

    @property
    def url(self) -> str:
        """The address for the window: `localhost`, because passkeys refuse a bare IP address."""
        return f"http://localhost:{self.port}/"

    def __enter__(self) -> Self:
        if _listens(self.port):
            raise PortTaken(
                f"port {self.port} is in use",
                hint=f"give another --port, or show the node that runs there: --url {self.url}",
            )
        self._start()
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        self._leash = subprocess.Popen(
            [sys.executable, "-m", "desktop.leash", *self._command(self.port)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # a group of its own: Ctrl-C reaches the window, which then ends the node in order
            start_new_session=True,
        )
        self._reader.start()

    def _wait_until_ready(self) -> None:
        assert self._leash is not None
        deadline = time.monotonic() + self._ready_wait_s
        while time.monotonic() < deadline:
            # looked at first: a stranger may answer on the port that our child could not get
            if self._leash.poll() is not None:
                self._reader.join(PROBE_TIMEOUT_S)
                raise self._not_ready(f"the node ended with status {self._leash.returncode}")
            if _answers(self.port):
                return
            time.sleep(PROBE_EVERY_S)
        raise self._not_ready(f"the node did not answer on port {self.port} in {self._ready_wait_s:g} s")

    def _not_ready(self, what: str) -> NodeNotReady:
        said = "\n".join(self._stderr_tail)
        message = f"{what}; its last words:\n{said}" if said else f"{what}; it said nothing"
        return NodeNotReady(message)

    def _stop(self) -> None:
        assert self._leash is not None and self._leash.stdin is not None and self._leash.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self._leash.stdin.close()
        try:
            # the leash terminates the node, and kills it after STOP_WAIT_S
            status = self._leash.wait(STOP_WAIT_S + 2)
        except subprocess.TimeoutExpired:
            self._kill()
        else:
            if status < 0:  # the leash itself was killed and has left the node behind
                self._kill()
        self._reader.join(PROBE_TIMEOUT_S)
        self._leash.stderr.close()

    def _kill(self) -> None:
        assert self._leash is not None
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._leash.pid, signal.SIGKILL)  # both: the leash leads their group
        else:
            self._leash.kill()
        self._leash.wait()

    def _read_stderr(self) -> None:
        """Keep the node's last words for an error, and pass everything on."""
        assert self._leash is not None and self._leash.stderr is not None
        while line := self._leash.stderr.readline(STDERR_LINE_BYTES_MAX):
            text = line.decode("utf-8", "replace").rstrip()
            self._stderr_tail.append(text)
            if sys.stderr is not None:  # a program without a console has none
                print(text, file=sys.stderr)


def node_command(home: Path | None) -> Command:
    """Return the command of the real node; without a home, the node uses its own default."""
    where = ["--home", str(home)] if home else []
    return lambda port: [sys.executable, "-m", "app", *where, "serve", "--port", str(port)]


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PROBE_TIMEOUT_S):
        return True
    return False


def _answers(port: int) -> bool:
    # http.client, not urllib: a proxy set for the city's network must not see loopback requests
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        link.request("GET", "/healthz")
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
