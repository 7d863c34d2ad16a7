"""A chat message from HQ to another node: from the POST at the hub until the terminal rings its browsers.

What a page then needs (one fragment over loopback) is measured beside it; and, in ``relay``, a report from one terminal
over the hub to another.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import requests
import socketio

from app import processes
from app.bench import emit, percentile, relay, stage

MESSAGES, PAUSE_S = 200, 0.02


def run(path: Path | None = None) -> None:
    relay.run(path)
    with stage.folder() as folder:
        ports = {"hub": stage.free_port(), "terminal": stage.free_port()}
        stage.make_hub(folder / "hub")
        processes.command(folder / "terminal", "init", "--role", "terminal", "--name", "terminal", "--json")
        with processes.serving(folder, ports):
            code = processes.command(folder / "hub", "enrol-code", "--json")["code"]
            hub, terminal = processes.url(ports["hub"]), processes.url(ports["terminal"])
            processes.command(folder / "terminal", "enrol", "--hub", hub, "--code", code)
            stage.add_person(folder / "hub", "統括", "commander")
            stage.add_person(folder / "terminal", "巡回", "patrol")
            token = processes.command(folder / "hub", "token", "create", "--user", "統括")
            _measure(hub, token, stage.log_in(terminal, "巡回"))


def _measure(hub: str, token: str, browser: stage.Browser) -> None:
    api = requests.Session()
    api.trust_env = False
    api.headers["Authorization"] = f"Bearer {token}"

    def post(collection: str, document: dict[str, str]) -> dict[str, str]:
        answer = api.post(f"{hub}/api/v1/{collection}", json=document, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    incident = post("incidents", {"name": "ベンチ", "mode": "drill", "kind": "flood"})["id"]
    channel = post("channels", {"incident_id": incident, "name": "本部"})["id"]
    rung = threading.Event()
    client = socketio.Client(http_session=browser.session)
    client.on("changed", lambda hint: rung.set() if _is_chat(hint) else None, namespace="/live")
    client.connect(browser.url, namespaces=["/live"], transports=["websocket"])
    page = f"/incidents/{incident}/chat/{channel}"
    rings: list[float] = []
    seen: list[float] = []
    try:
        for number in range(MESSAGES):
            time.sleep(PAUSE_S)  # one message at a time: this measures latency, not throughput
            rung.clear()
            began = time.monotonic()
            post("chat-messages", stage.new_message(channel, f"伝達 {number}"))
            assert rung.wait(5), "the terminal did not ring"
            rings.append((time.monotonic() - began) * 1000)
            browser.get(page)
            seen.append((time.monotonic() - began) * 1000)
    finally:
        client.disconnect()
    for metric, values in (("ring", rings), ("fragment", seen)):
        emit("live", f"chat_{metric}_p50", percentile(values, 0.5), "ms")
        emit("live", f"chat_{metric}_p95", percentile(values, 0.95), "ms")
        emit("live", f"chat_{metric}_max", max(values), "ms")


def _is_chat(hint: dict[str, list[str]]) -> bool:
    return any(topic.startswith("chat-messages") for topic in hint.get("topics", ()))
