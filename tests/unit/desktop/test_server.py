"""The window's node: it starts, answers, ends with the window however that goes, and says why when it cannot.

The node is a small stand-in program; everything else is real: processes, pipes and a loopback port.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from desktop import server
from desktop.errors import NodeNotReady, PortTaken
from desktop.leash import STOP_WAIT_S

posix_only = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

# Writes its process id, then serves /healthz; "deaf" never answers, "stubborn" ignores a polite end.
STAND_IN = """
import os, pathlib, signal, sys, time
port, mode, pid_file = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pid_file.with_suffix(".new").write_text(str(os.getpid()))
pid_file.with_suffix(".new").rename(pid_file)
if mode == "broken":
    sys.exit("the store is locked by another program")
if mode == "deaf":
    print("waiting for a passphrase", file=sys.stderr, flush=True)
    time.sleep(600)
import http.server
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""


class StandIn:
    """A command for `NodeProcess`, and what became of the process it started."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "stand_in.py"
        self._script.write_text(STAND_IN, encoding="utf-8")
        self._pid_file = folder / "pid"

    def command(self, mode: str = "") -> server.Command:
        return lambda port: [sys.executable, str(self._script), str(port), mode, str(self._pid_file)]

    def pid(self) -> int:
        wait_for(self._pid_file.exists)
        return int(self._pid_file.read_text())

    def lives(self) -> bool:
        try:
            os.kill(self.pid(), 0)
        except ProcessLookupError:
            return False
        # killed but not yet collected by its new parent is dead enough
        state = Path(f"/proc/{self.pid()}/stat")
        return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def wait_for(holds: Callable[[], bool], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def health_of(port: int) -> int:
    link = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/healthz")
        return link.getresponse().status
    finally:
        link.close()


def test_a_node_answers_inside_the_context_and_is_gone_after_it(stand_in: StandIn) -> None:
    with server.NodeProcess(stand_in.command()) as node:
        assert health_of(node.port) == 200
        assert node.url == f"http://localhost:{node.port}/"
        assert stand_in.lives()
    assert not stand_in.lives()


def test_the_port_that_was_asked_for_is_used(stand_in: StandIn) -> None:
    port = server.free_port()
    with server.NodeProcess(stand_in.command(), port) as node:
        assert node.port == port
        assert health_of(port) == 200


def test_a_node_that_never_answers_is_ended_with_an_error_that_quotes_it(stand_in: StandIn) -> None:
    with (
        pytest.raises(
            NodeNotReady, match=r"did not answer on port \d+ in 5 s(?s:.*)waiting for a passphrase"
        ) as raised,
        server.NodeProcess(stand_in.command("deaf"), ready_wait_s=5),
    ):
        pytest.fail("entered without an answer")
    assert "doctor" in raised.value.hint
    assert not stand_in.lives()


def test_a_node_that_ends_at_once_is_reported_at_once_with_its_last_words(stand_in: StandIn) -> None:
    with (
        pytest.raises(NodeNotReady, match=r"status 1(?s:.*)the store is locked by another program"),
        server.NodeProcess(stand_in.command("broken"), ready_wait_s=60),
    ):
        pytest.fail("entered without an answer")


def test_a_taken_port_is_refused_before_anything_starts(stand_in: StandIn, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(PortTaken, match=str(port)) as raised,
            server.NodeProcess(stand_in.command(), port),
        ):
            pytest.fail("entered on a foreign port")
    assert "--url" in raised.value.hint
    assert not (tmp_path / "pid").exists()


def test_an_error_inside_the_context_ends_the_node_too(stand_in: StandIn) -> None:
    with pytest.raises(ZeroDivisionError), server.NodeProcess(stand_in.command()):
        raise ZeroDivisionError
    assert not stand_in.lives()


@posix_only
def test_a_node_that_ignores_a_polite_end_is_killed(stand_in: StandIn) -> None:
    with server.NodeProcess(stand_in.command("stubborn")):
        started = time.monotonic()
    assert not stand_in.lives()
    assert time.monotonic() - started < STOP_WAIT_S + 4


@posix_only
def test_no_orphan_is_left_when_the_window_process_is_killed(stand_in: StandIn, tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from desktop.server import NodeProcess\n"
        "with NodeProcess(lambda port: [*sys.argv[1:3], str(port), '', sys.argv[3]]):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
    )
    arguments = [sys.executable, str(tmp_path / "stand_in.py"), str(tmp_path / "pid")]
    window = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
    with window:
        assert window.stdout is not None
        assert window.stdout.readline() == b"ready\n"
        assert stand_in.lives()
        window.send_signal(signal.SIGKILL)
        wait_for(lambda: not stand_in.lives())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the leash in /proc")
def test_no_orphan_is_left_when_the_leash_is_killed(stand_in: StandIn) -> None:
    with server.NodeProcess(stand_in.command()):
        leash = int(Path(f"/proc/{stand_in.pid()}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(leash, signal.SIGKILL)
    wait_for(lambda: not stand_in.lives())


def test_the_real_node_is_called_with_its_home_and_port() -> None:
    assert server.node_command(Path("/data"))(8400)[1:] == [
        "-m", "app", "--home", str(Path("/data")), "serve", "--port", "8400",
    ]  # fmt: skip
    assert server.node_command(None)(8400)[1:] == ["-m", "app", "serve", "--port", "8400"]
