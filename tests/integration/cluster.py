"""Real nodes as real processes on 127.0.0.1, driven by the command line and the HTTP API as a city would."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import uuid6

from tests.integration import forked

PASSPHRASE = "a-long-enough-passphrase"
# Below those that the system gives to whoever asks for any: between here and the start of a node nobody takes one.
PORTS = range(10_100, 30_000)  # 10080 is one of those that a browser refuses
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_GIVEN = itertools.count(_WORKER * 5_000 + os.getpid() * 97 % 5_000)  # each once; another worker begins elsewhere


def free_port() -> int:
    while True:
        port = PORTS[next(_GIVEN) % len(PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def environment() -> dict[str, str]:
    """This process's environment without anything that would set up a node."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TOMOSHIBI_")}


def eventually(check: Callable[[], Any], within_s: float, what: str) -> Any:
    """Poll until ``check`` gives something true. The clock is the test's limit, never its reason to pass."""
    deadline = time.monotonic() + within_s
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.02)


@dataclass
class NodeProcess:
    name: str
    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    token: str = ""
    born: dict[str, str] = field(default_factory=dict)  # what `init` printed once
    prefix: tuple[str, ...] = ()  # strace and the like
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def program(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "app", "--home", str(self.home), *arguments]

    def command(self, *arguments: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        finished = forked.run(["--home", str(self.home), *arguments], environment() | self.extra, text)
        if check and finished.returncode:
            raise AssertionError(f"{self.name}: {' '.join(arguments)}: {finished.stderr}")
        return finished

    def json(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json").stdout)

    def start(self, wait: bool = True) -> float:
        """Start serving; the seconds until it answered."""
        began = time.monotonic()
        with (self.home.parent / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *self.program("serve", "--port", str(self.port))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment() | self.extra,
            )  # fmt: skip
        if wait:
            eventually(self.answers, 60, f"{self.name} answers; {self.log()}")
        return time.monotonic() - began

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself: {self.log()}")
        try:
            return http().get(f"{self.url}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def log(self) -> str:
        path = self.home.parent / f"{self.name}.log"
        return path.read_text("utf-8", "replace")[-2000:] if path.exists() else ""

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            if self.prefix:  # a tracer that ends lets its node run on: the node itself is told, by the pid in its lock
                os.kill(int((self.home / "lock").read_text()), signal.SIGTERM)
            else:
                self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)

    def found(self, path: str) -> Any:
        """The document, None before it is there: for what is waited for."""
        answer = self.call("GET", path)
        return answer.json() if answer.status_code == 200 else None

    def call(
        self, method: str, path: str, document: Any = None, timeout: float = 10, **headers: str
    ) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return http().request(method, f"{self.url}/api/v1/{path}", json=document, headers=given, timeout=timeout)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, document: Any) -> Any:
        answer = self.call("POST", path, document)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def status(self) -> Any:
        return self.get("status")

    def every(self, path: str) -> list[Any]:
        """All items of a collection, page by page."""
        items: list[Any] = []
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=500{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"


def http() -> requests.Session:
    """One session a thread, so that connections are used again and closed at the end."""
    if not hasattr(_LOCAL, "session"):
        _LOCAL.session = requests.Session()
        _LOCAL.session.trust_env = False
        _SESSIONS.append(_LOCAL.session)
    found: requests.Session = _LOCAL.session
    return found


_LOCAL = threading.local()
_SESSIONS: list[requests.Session] = []


@dataclass
class Cluster:
    hub: NodeProcess
    terminals: list[NodeProcess]
    incident: str
    channel: str

    @property
    def nodes(self) -> list[NodeProcess]:
        return [self.hub, *self.terminals]

    def report(self, node: NodeProcess, summary: str, record_id: str | None = None) -> Any:
        return node.post("damage-reports", report_document(self.incident, summary, record_id))

    @contextlib.contextmanager
    def second_incident(self, node: NodeProcess, name: str, kind: str) -> Iterator[str]:
        """Opened at ``node``, known at the hub; at the end closed everywhere: a login leads to the one that runs."""
        made = new_id()
        opened = node.call("POST", "incidents", {"id": made, "name": name, "mode": "drill", "kind": kind})
        assert opened.status_code == 201, opened.text
        eventually(lambda: self.hub.call("GET", f"incidents/{made}").status_code == 200, 15, "it arrived")
        try:
            yield made
        finally:
            closed = self.hub.call("PATCH", f"incidents/{made}", {"closed_at": "2026-01-01T00:00:00Z"}, If_Match="*")
            assert closed.status_code == 200, closed.text
            for one in self.nodes:
                known = lambda one=one: one.found(f"incidents/{made}") or {}  # noqa: E731
                eventually(lambda known=known: known().get("closed_at"), 15, "closed everywhere")

    def digests(self) -> set[str]:
        return {node.status()["digest"] for node in self.nodes}

    def differences(self) -> str:
        """Where the nodes stand apart, for whoever reads the failure."""
        told = {node.name: node.status() for node in self.nodes}
        streams = sorted(set().union(*(status["vector"] for status in told.values())))
        places = {stream: [status["vector"].get(stream, 0) for status in told.values()] for stream in streams}
        lines = [
            f"{name}: {[status[key] for key in ('digest', 'unsent', 'forks', 'quarantined', 'awaited', 'hub')]}"
            for name, status in told.items()
        ]
        return "\n".join(lines + [f"{s}: {seqs}" for s, seqs in places.items() if len(set(seqs)) > 1])

    def await_equal(self, within_s: float) -> None:
        """All nodes hold the same, and nothing is unsent."""
        try:
            eventually(
                lambda: len(self.digests()) == 1 and not any(node.status()["unsent"] for node in self.nodes),
                within_s, "equal digests and nothing unsent",
            )  # fmt: skip
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.differences()}") from error


def report_document(incident: str, summary: str, record_id: str | None = None) -> dict[str, Any]:
    return {
        "id": record_id or str(uuid6.uuid7()),
        "incident_id": incident,
        "category": "flood",
        "summary": summary,
    }


def new_id() -> str:
    return str(uuid.UUID(bytes=uuid6.uuid7().bytes))


@contextlib.contextmanager
def cluster(folder: Path, terminals: int = 2) -> Iterator[Cluster]:
    """A hub and terminals that run, are enrolled and share a drill incident with a channel."""
    hub = NodeProcess("hub", folder / "hub")
    others = [NodeProcess(f"terminal-{letter}", folder / f"terminal-{letter}") for letter in "abcdefgh"[:terminals]]
    try:
        yield _build(hub, others)
    finally:
        for node in (hub, *others):
            node.stop()
        for session in _SESSIONS:
            session.close()


def _build(hub: NodeProcess, others: list[NodeProcess]) -> Cluster:
    hub.born = hub.json("init", "--role", "hub", "--name", "災害対策本部")
    for node in others:
        node.command("init", "--role", "terminal", "--name", node.name, "--json")
    hub.start()
    for node in others:
        node.start()
        node.command("enrol", "--hub", hub.url, "--code", hub.json("enrol-code")["code"])
    add_person(hub, "本部", "commander")
    for node in others:
        add_person(node, f"巡回 {node.name}", "patrol")
    incident = hub.post("incidents", {"name": "訓練の台風", "mode": "drill", "kind": "typhoon"})["id"]
    channel = hub.post("channels", {"incident_id": incident, "name": "本部と現場"})["id"]
    built = Cluster(hub, others, incident, channel)
    for node in others:
        eventually(lambda node=node: node.call("GET", f"channels/{channel}").status_code == 200, 30, "the channel came")
    return built


def add_person(node: NodeProcess, name: str, role: str) -> None:
    node.command("user", "add", name, "--role", role, "--password-stdin", text=PASSPHRASE + "\n")
    node.token = node.command("token", "create", "--user", name).stdout.strip()
