"""`tomoshibi demo`: what README's first command starts is a hub and two terminals that show one city, and it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from app import processes
from tests.integration.cluster import environment, eventually, free_port

NODES = 3


def free_ports() -> int:
    """The first of three ports in a row that nobody listens on."""
    while True:
        first = free_port()
        with socket.socket() as second, socket.socket() as third:
            try:
                second.bind(("127.0.0.1", first + 1))
                third.bind(("127.0.0.1", first + 2))
            except OSError:
                continue
        return first


def teams(port: int, token: str) -> dict[str, str]:
    answer = requests.get(
        f"http://localhost:{port}/api/v1/teams", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    return {team["name"]: team["call_by"] for team in answer.json()["items"]}


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_the_demo_starts_a_hub_and_two_terminals_with_a_city_and_ends_with_all_of_them(tmp_path: Path) -> None:
    first, home, said = free_ports(), tmp_path / "demo", tmp_path / "said"
    arguments = [sys.executable, "-m", "app", "demo", "--dir", str(home), "--port", str(first)]
    with said.open("wb") as log, subprocess.Popen(arguments, env=environment(), stdout=log, stderr=log) as demo:
        try:
            eventually(lambda: "Ctrl-C" in said.read_text("utf-8") or demo.poll() is not None, 240, "it is set up")
            assert demo.poll() is None, said.read_text("utf-8")
            assert set(json.loads((home / "logins.json").read_text("utf-8"))) == {"佐久間", "管理者", "梶原", "宮脇"}
            for port in range(first, first + NODES):
                assert requests.get(f"http://localhost:{port}/login", timeout=10).status_code == 200
            token = processes.command(home / "hub", "token", "create", "--user", "佐久間")
            assert teams(first, token)["巡回3班"] == "無線 あしはら巡回3"
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(60)
    for port in range(first, first + NODES):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://localhost:{port}/login", timeout=10)
