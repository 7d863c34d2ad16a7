"""The walk as a hostile shelter LAN: somebody takes the hub's address, and the tablet tells him nothing.

Real machines in network namespaces on one switch: a hub, a tablet, a foe who says by ARP that the hub's address is his.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app import birth
from app.config import Settings
from app.node import Node
from app.pki import authority, peer
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls import held as holding
from app.tls.held import Held
from tests.integration.cluster import NodeProcess, add_person, environment, eventually, report_document

HUB, TABLET, FOE, HUB_AGAIN = "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.11"
PORT = 8443
HANDSHAKE_BYTES_MAX = 4_096  # what a tablet may say to somebody before it knows who he is: hello, its leaf, goodbye
REPORTS = 3
WITHIN_S = 40


def missing() -> str | None:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return "needs Linux, root and iproute2: network namespaces"
    name = f"tomoshibi-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return f"no network namespaces here: {made.stderr.decode().strip()}"
    bridge = subprocess.run(
        ["ip", "-n", name, "link", "add", "name", "try0", "type", "bridge"], capture_output=True, check=False
    )
    ip("netns", "del", name)
    return None if bridge.returncode == 0 else f"no bridges here: {bridge.stderr.decode().strip()}"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass
class Lan:
    """A switch with three machines on it, each in a namespace."""

    mark: str = field(default_factory=lambda: secrets.token_hex(3))
    made: list[str] = field(default_factory=list)

    def name(self, machine: str) -> str:
        return f"tomo-{self.mark}-{machine}"

    def build(self) -> None:
        for machine in ("switch", "hub", "tablet", "foe"):
            ip("netns", "add", self.name(machine))
            self.made.append(self.name(machine))
            ip("-n", self.name(machine), "link", "set", "lo", "up")
        switch = self.name("switch")
        ip("-n", switch, "link", "add", "name", "bridge0", "type", "bridge")
        ip("-n", switch, "link", "set", "bridge0", "up")
        for machine, addresses in (("hub", (HUB, HUB_AGAIN)), ("tablet", (TABLET,)), ("foe", (FOE,))):
            port, inside = f"p-{machine}", self.name(machine)
            ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", inside)
            ip("-n", switch, "link", "set", port, "master", "bridge0")
            ip("-n", switch, "link", "set", port, "up")
            for address in addresses:
                ip("-n", inside, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", inside, "link", "set", "eth0", "up")
        # Else the hub asks where the tablet is, and its question gives its own address back to it.
        ip(
            "-n",
            self.name("hub"),
            "neigh",
            "replace",
            TABLET,
            "lladdr",
            self.card("tablet"),
            "dev",
            "eth0",
            "nud",
            "permanent",
        )

    def card(self, machine: str) -> str:
        """The address of its network card."""
        shown = subprocess.run(
            ["ip", "-n", self.name(machine), "-j", "link", "show", "eth0"], check=True, capture_output=True, text=True
        )
        return str(json.loads(shown.stdout)[0]["address"])

    def inside(self, machine: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name(machine))

    def close(self) -> None:
        for name in reversed(self.made):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@dataclass
class Inside(NodeProcess):
    """A node whose network is a namespace: asked through programs that run there."""

    lan: Lan = field(default_factory=Lan)
    machine: str = ""

    def __post_init__(self) -> None:
        self.prefix = self.lan.inside(self.machine)
        self.port = PORT

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself: {self.log()}")
        return "listening on" in self.log()

    def run_inside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *self.program(*arguments)],
            capture_output=True, text=True, timeout=60, check=True, env=environment() | self.extra,
        )  # fmt: skip

    def post(self, path: str, document: Any) -> Any:
        """In clear on its own loopback, as its browser does."""
        script = (
            "import json,sys,urllib.request as u;"
            "a=json.load(sys.stdin);"
            "r=u.Request(a['url'],json.dumps(a['document']).encode(),a['headers']);"
            "print(u.build_opener(u.ProxyHandler({})).open(r,timeout=20).read().decode())"
        )
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        asked = {"url": f"http://127.0.0.1:{PORT}/api/v1/{path}", "document": document, "headers": headers}
        finished = subprocess.run(
            [*self.prefix, sys.executable, "-c", script],
            input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return json.loads(finished.stdout)

    def seen(self) -> Any:
        return self.json("status")


@dataclass
class Foe:
    """The machine that takes the hub's address, for as long as the block lasts."""

    lan: Lan
    folder: Path

    @contextlib.contextmanager
    def standing(self, shown: Held, *more: str) -> Iterator[Foe]:
        facts = {name: getattr(shown, name).hex() for name in Held.__slots__}
        (self.folder / "held.json").write_text(json.dumps(facts))
        inside = self.lan.name("foe")
        ip("-n", inside, "addr", "add", f"{HUB}/32", "dev", "eth0")
        arguments = [str(self.folder), HUB, str(PORT), TABLET, *more]
        with (self.folder / "foe.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.lan.inside("foe"), sys.executable, "-m", "tests.integration.foe", *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            yield self
        finally:
            process.kill()
            process.wait(10)
            ip("-n", inside, "addr", "del", f"{HUB}/32", "dev", "eth0")

    @property
    def calls(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "calls").read_text())
        return 0

    @property
    def heard(self) -> bytes:
        return (self.folder / "heard.bin").read_bytes()

    @property
    def on_the_wire(self) -> list[int]:
        """Bytes of each connection, as the network card counted them."""
        return list(json.loads((self.folder / "wire.json").read_text()).values())


@pytest.fixture
def lan() -> Iterator[Lan]:
    why = missing()
    if why:
        pytest.skip(why)
    made = Lan()
    try:
        made.build()
        yield made
    finally:
        made.close()


def stolen(home: Path) -> Held:
    """What lies in the store of a tablet that was taken over."""
    folder = DataFolder(home)
    node = Node.open(folder, read_keys(folder.keys, None), Settings(home, ballast_mb=0))
    try:
        return node.tls.held
    finally:
        node.close()


def shown_by_foes(born: dict[str, str], taken: Held) -> dict[str, Held]:
    """Leaves by their name: of another city; of a tablet that was taken over; of an heir that was."""
    assert taken.own is not None and taken.own.node_id is not None
    hub_id, now = bytes.fromhex(born["node_id"]), time.time_ns() // 1_000_000
    root = birth.read_recovery(Path(born["recovery_file"]), born["recovery_secret"].encode())
    dormant = authority.issue_intermediate(root.seed, peer.public_of(taken.leaf), taken.own.node_id)
    heir = replace(taken, issuing=dormant, issuing_key=taken.key)
    return {
        "another city": holding.of_root(os.urandom(32), hub_id).renewed(hub_id, "H1", (), now, hub=True),
        "a tablet": taken,
        "an heir": heir.renewed(taken.own.node_id, "T02", (), now, hub=True),
    }


@dataclass
class Walk:
    """A hub, a tablet that has met it, and a second tablet in the foe's hands."""

    lan: Lan
    folder: Path
    incident: str = ""
    shown: dict[str, Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lan, beyond = self.lan, {"TOMOSHIBI_HOST": "0.0.0.0"}
        self.hub = Inside("hub", self.folder / "hub", lan=lan, machine="hub", extra=beyond)
        self.tablet = Inside("tablet", self.folder / "tablet", lan=lan, machine="tablet")
        self.taken = Inside("taken", self.folder / "taken", lan=lan, machine="foe")
        self.foe = Foe(lan, self.folder)

    def begin(self) -> None:
        born = json.loads(self.hub.command("init", "--role", "hub", "--name", "本部", "--json").stdout)
        for node in (self.tablet, self.taken):
            node.command("init", "--role", "terminal", "--name", node.name, "--json")
        self.hub.start()
        self.tablet.start()
        for node in (self.tablet, self.taken):
            code = self.hub.json("enrol-code")["code"]
            node.run_inside("enrol", "--hub", f"https://{HUB}:{PORT}", "--code", code)
        add_person(self.tablet, "避難所", "shelter_staff")
        storm = {"name": "訓練の台風", "mode": "drill", "kind": "typhoon"}
        self.incident = self.tablet.post("incidents", storm)["id"]
        self.await_unsent(0)
        self.shown = shown_by_foes(born, stolen(self.taken.home))

    def write_reports(self) -> None:
        for _ in range(REPORTS):  # chance text: no compression hides an operation below what a handshake takes
            document = report_document(self.incident, "門が開かない") | {"description": secrets.token_hex(990)}
            self.tablet.post("damage-reports", document)

    def await_code(self, code: str) -> None:
        eventually(lambda: self.tablet.seen()["hub"]["code"] == code, WITHIN_S, f"{code}: {self.tablet.log()}")

    def await_unsent(self, count: int) -> None:
        eventually(lambda: self.tablet.seen()["unsent"] == count, 2 * WITHIN_S, f"{count} unsent: {self.tablet.log()}")

    def close(self) -> None:
        for node in (self.tablet, self.hub):
            node.stop()


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_tablet_on_a_hostile_network_tells_nobody_but_its_hub(lan: Lan, tmp_path: Path) -> None:
    walk = Walk(lan, tmp_path)
    try:
        walk.begin()
        for name, code in (("another city", "hub_other"), ("a tablet", "hub_not")):
            with walk.foe.standing(walk.shown[name]) as foe:
                walk.await_code(code)
                walk.write_reports()
                called = foe.calls
                eventually(lambda foe=foe, called=called: foe.calls >= called + 2, WITHIN_S, "the tablet tries again")
                assert foe.heard == b"", name
                most = max(foe.on_the_wire)
                assert 100 < most < HANDSHAKE_BYTES_MAX, name
                print(f"{name}: {foe.calls} calls, at most {most} bytes in one, all of them handshake")
        with walk.foe.standing(walk.shown["an heir"], HUB_AGAIN) as foe:
            walk.await_code("relayed")
            assert 0 < len(foe.heard) < foe.calls * HANDSHAKE_BYTES_MAX / 2, "no more than a hello each time"
            print(f"a relay by an heir: {foe.calls} calls, {len(foe.heard)} bytes, all of them hellos")
        assert walk.tablet.seen()["unsent"] == 2 * REPORTS
        walk.await_unsent(0)
        assert walk.hub.seen()["digest"] == walk.tablet.seen()["digest"]
    finally:
        walk.close()
