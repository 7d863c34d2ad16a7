"""Sockets and connections of people who mean harm, against a real hub: it serves the others and does not grow."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import websocket

from app import slow_clients
from tests.integration.cluster import Cluster, cluster, eventually

EVENTS = 10_000
HANDSHAKES = 1_000
GROWTH_MB_MAX = 64
SLOW = 300
Dial = Callable[..., websocket.WebSocket]
ENGINE = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("hostile"), terminals=0) as built:
        yield built


@pytest.fixture(autouse=True)
def unharmed(city: Cluster) -> Iterator[None]:
    """After each attack the hub answers, has not grown, and has no trace of it in its log."""
    before = memory_mb(city)
    yield
    assert requests.get(f"{city.hub.url}/healthz", timeout=5).status_code == 200
    assert memory_mb(city) - before < GROWTH_MB_MAX
    assert "Traceback" not in log_of(city)


def memory_mb(city: Cluster) -> int:
    assert city.hub.process is not None
    status = Path(f"/proc/{city.hub.process.pid}/status")
    if not status.exists():
        pytest.skip("no /proc to read a process's memory from")
    line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def log_of(city: Cluster) -> str:
    return "".join(path.read_text("utf-8", "replace") for path in city.hub.home.parent.glob("*.log"))


@pytest.fixture
def dial(city: Cluster) -> Iterator[Dial]:
    with contextlib.ExitStack() as lines:

        def make(**options: object) -> websocket.WebSocket:
            address = city.hub.url.replace("http", "ws", 1) + ENGINE
            line = websocket.create_connection(address, timeout=10, **options)
            lines.callback(line.shutdown)
            line.recv()  # Engine.IO's own greeting
            return line

        yield make


def enter(line: websocket.WebSocket, namespace: str) -> str:
    line.send(f"40{namespace},")
    answer: str = line.recv()
    return answer


def is_ended(line: websocket.WebSocket, within_s: float = 10) -> bool:
    """Whether the other side closes; a ping of it is answered with silence."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if line.recv() == "":
                return True
        except websocket.WebSocketTimeoutException:
            return False
        except (websocket.WebSocketException, OSError):
            return True
    return False


def test_ten_thousand_events_of_a_stranger_end_the_socket_and_others_are_served(city: Cluster, dial: Dial) -> None:
    line = dial()
    assert enter(line, "/sync").startswith("40/sync")
    with contextlib.suppress(websocket.WebSocketException, OSError):
        for number in range(EVENTS):
            line.send(f'42/sync,["f",{number}]')
            if number % 1_000 == 0:
                assert requests.get(f"{city.hub.url}/healthz", timeout=5).status_code == 200
    assert is_ended(line)


def test_a_thousand_handshakes_that_are_none_cost_nothing(city: Cluster) -> None:
    paths = ("/socket.io/", "/socket.io/?EIO=3&transport=websocket", "/socket.io/?EIO=4&transport=polling",
             "/socket.io/?EIO=4&transport=websocket&sid=none", ENGINE)  # fmt: skip
    with requests.Session() as session:
        for number in range(HANDSHAKES):
            headers = {"Connection": "Upgrade", "Upgrade": "websocket"} if number % 2 else {}
            if paths[number % 5] == ENGINE:
                headers["Origin"] = "https://evil.example"
            assert session.get(city.hub.url + paths[number % 5], headers=headers, timeout=5).status_code == 400


def test_a_foreign_origin_opens_no_socket(dial: Dial) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        dial(origin="https://evil.example")


def test_a_frame_of_five_megabytes_ends_the_socket(dial: Dial) -> None:
    line = dial()
    with contextlib.suppress(websocket.WebSocketException, OSError):
        line.send("4" + "x" * (5 << 20))
    assert is_ended(line)


def test_a_thousand_binary_parts_of_one_event_are_not_collected(dial: Dial) -> None:
    line = dial()
    enter(line, "/sync")
    with contextlib.suppress(websocket.WebSocketException, OSError):
        line.send('451000-/sync,["f",{"_placeholder":true,"num":0}]')
        for _ in range(1_000):
            line.send_binary(bytes(4_096))
    assert is_ended(line)


@pytest.mark.parametrize("namespace", ["/", "/nothing", "/live", "/sync/../live"])
def test_a_namespace_that_is_not_open_to_strangers_lets_nobody_in(dial: Dial, namespace: str) -> None:
    line = dial()
    assert enter(line, namespace).startswith("44")
    with contextlib.suppress(websocket.WebSocketException, OSError):
        for _ in range(100):
            line.send(f"40{namespace},")
    assert is_ended(line)


@pytest.mark.deep
def test_a_stranger_who_says_nothing_is_sent_away(dial: Dial) -> None:
    line = dial()
    heard = [line.recv()]
    while heard[-1] and len(heard) < 8:
        if heard[-1] == "2":
            line.send("3")
        heard.append(line.recv())
    assert heard[-1] == ""


@pytest.mark.deep
def test_connections_that_come_byte_by_byte_are_given_up_and_others_are_served(city: Cluster) -> None:
    lines = [socket.create_connection(("127.0.0.1", city.hub.port)) for _ in range(SLOW)]
    try:
        deadline = time.monotonic() + slow_clients.HEAD_S + 10
        while lines and time.monotonic() < deadline:
            assert requests.get(f"{city.hub.url}/login", timeout=5).status_code == 200
            lines = [line for line in lines if _goes_on(line)]
            time.sleep(1)
        assert lines == []
    finally:
        for line in lines:
            line.close()


def _goes_on(line: socket.socket) -> bool:
    try:
        line.sendall(b"G")
        return True
    except OSError:
        line.close()
        return False


def test_an_upload_that_breaks_off_leaves_no_trace(city: Cluster) -> None:
    for length in (b"100", b"5000000"):
        with socket.create_connection(("127.0.0.1", city.hub.port)) as line:
            line.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n")
            line.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname=x")
    eventually(lambda: requests.get(f"{city.hub.url}/healthz", timeout=5).ok, 5, "the hub answers")
