"""The control socket: who answers, who is let in, and what a dead one leaves behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.control import ControlServer, call
from app.errors import CommandFailed, Forbidden

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no control socket: commands take the lock")


def answer(command: str, arguments: Mapping[str, Any]) -> Any:
    if command == "refuse":
        raise Forbidden("not_now", "not now", "Later.")
    if command == "fail":
        raise ZeroDivisionError
    return {"command": command, **arguments}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def server(path: Path) -> Iterator[ControlServer]:
    server = ControlServer(path, answer)
    yield server
    server.close()


def test_a_command_is_carried_out_by_the_process_that_listens(server: ControlServer, path: Path) -> None:
    assert call(path, "user", {"name": "灯"}) == {"command": "user", "name": "灯"}


def test_nobody_answers_where_nobody_listens(path: Path) -> None:
    assert call(path, "status", {}) is None


def test_only_the_owner_may_connect(server: ControlServer, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_socket_that_a_killed_process_left_is_nobody_and_is_replaced(path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    assert path.exists() and call(path, "status", {}) is None
    server = ControlServer(path, answer)
    assert call(path, "status", {}) == {"command": "status"}
    server.close()
    assert not path.exists()


def test_a_refusal_keeps_its_code_and_its_hint(server: ControlServer, path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        call(path, "refuse", {})
    assert (caught.value.code, str(caught.value), caught.value.hint) == ("not_now", "not now", "Later.")


def test_a_fault_is_told_and_the_next_command_is_served(server: ControlServer, path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        call(path, "fail", {})
    assert caught.value.code == "internal_error"
    assert call(path, "status", {}) == {"command": "status"}


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{}\n", b'{"command": 1}\n', b"\xff\n", b"[" * 50_000 + b"\n"])
def test_nonsense_is_answered_and_the_next_command_is_served(server: ControlServer, path: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(line)
        assert b'"error"' in connection.recv(65_536)
    assert call(path, "status", {}) == {"command": "status"}


def test_a_folder_with_a_long_name_is_reached_too(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("only Linux reaches a socket through an open folder")
    path = tmp_path / ("long" * 30) / "control.sock"
    path.parent.mkdir()
    server = ControlServer(path, answer)
    assert call(path, "status", {}) == {"command": "status"}
    server.close()
