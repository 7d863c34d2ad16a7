"""The invented city of the simulation: its keys, who may do what, and the log that everybody holds before the storm."""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Iterable

from app.records import KINDS, channels, incidents, shelters, teams
from app.records.judge import judge
from app.records.noun import scope_of
from app.store.projection import SqlProjection
from sync import signing
from sync.certificate import Certificate
from sync.log_reader import LogReader
from sync.operation import CITY, Change
from sync.oplog import Segment
from sync.replica import Identity, Replica
from sync.signing import SigningKey
from tests.simulation.disk import Disk, copy_of, empty
from tests.simulation.release import OLDER, older_judge

DUSK = 1_780_000_000_000  # ms since 1970: when the storm begins
FIELD = ("field",)
HUB = ("command", "enrol", "field", "hub")


def seed_of(name: str) -> bytes:
    return hashlib.sha256(b"simulation/" + name.encode()).digest()


def id_of(name: str) -> uuid.UUID:
    return uuid.UUID(bytes=seed_of(name)[:16])


@functools.cache
def key_of(name: str) -> SigningKey:
    return SigningKey(seed_of(name))


@functools.cache
def node_of(name: str) -> bytes:
    return signing.node_id_of(key_of(name).public)


ROOT = SigningKey(seed_of("root"))


@functools.cache
def certificate(name: str, capabilities: tuple[str, ...], serial: int = 1) -> Certificate:
    return Certificate.make(
        ROOT,
        None,
        root=signing.root_fingerprint(ROOT.public),
        public=key_of(name).public,
        sealing=signing.sealing_public(seed_of(name + "/sealing")),
        name=name,
        label=name[:8].upper(),
        capabilities=frozenset(capabilities),
        issued_ms=DUSK,
        serial=serial.to_bytes(16, "big"),
    )


def identity(name: str, capabilities: Iterable[str], serial: int = 1) -> Identity:
    held = certificate(name, tuple(sorted(capabilities)), serial)
    return Identity(key_of(name), node_of(name), ROOT.public, held, seed_of(name + "/sealing"))


INCIDENT = id_of("incident")
DRILL = id_of("drill")
REAL_SCOPE = scope_of("real", str(INCIDENT))
DRILL_SCOPE = scope_of("drill", str(DRILL))
CHANNEL = id_of("channel")
SHELTERS = tuple(id_of(f"shelter {number}") for number in range(3))
TEAM = id_of("team")
PEOPLE = tuple(id_of(f"person {number}") for number in range(4))


def _first_changes() -> list[Change]:
    return [
        incidents.create(INCIDENT, CITY, {"name": "台風19号", "mode": "real", "kind": "typhoon"}),
        incidents.create(DRILL, CITY, {"name": "訓練", "mode": "drill", "kind": "flood"}),
        teams.create(TEAM, CITY, {"name": "土木班"}),
        *(shelters.create(id_, CITY, {"name": f"第{n}小学校", "capacity": 150}) for n, id_ in enumerate(SHELTERS)),
        channels.create(CHANNEL, REAL_SCOPE, {"name": "全体", "members": [str(PEOPLE[0])]}),
    ]


@functools.cache
def hub_store() -> Disk:
    """The hub's store at dusk."""
    disk = copy_of(empty())
    replica = Replica(
        disk, KINDS, judge, SqlProjection(disk, KINDS), identity("hub", HUB), lambda: DUSK, lambda n: seed_of("")[:n]
    )
    replica.run_batch([lambda held: held.record(_first_changes(), None)])
    return disk


@functools.cache
def first_log() -> tuple[Segment, ...]:
    reader, sent, cursors = LogReader(hub_store()), {}, {}
    found: list[Segment] = []
    while more := reader.next_segments(sent, cursors, ops_max=500, bytes_max=1 << 20):
        found += more
    return tuple(found)


@functools.cache
def terminal_store(release: str) -> Disk:
    """The store of a terminal that met the hub before the storm."""
    disk = copy_of(empty(release))
    kinds, judges = (OLDER, older_judge) if release == "older" else (KINDS, judge)
    replica = Replica(
        disk, kinds, judges, SqlProjection(disk, kinds), identity("nobody", FIELD), lambda: DUSK, lambda n: b"\0" * n
    )
    replica.run_batch([lambda held: held.receive(first_log(), None)])
    return disk


def store(name: str, release: str) -> Disk:
    return copy_of(hub_store() if name == "hub" else terminal_store(release))
