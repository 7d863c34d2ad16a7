"""Other writers of the city, certified by its hub: replicas in memory, so that only what is measured touches a disk.

Before: ``stage`` made the hub. After: their logs are given to what is measured.
"""

from __future__ import annotations

import os
import random
import secrets
import time
import uuid
from pathlib import Path

from sqlcipher3 import dbapi2

from app.bench import corpus, stage
from app.node import Node
from app.records import KINDS, damage_reports
from app.records.judge import judge
from app.store.projection import SqlProjection
from app.store.schema import create_statements
from sync import authoring, oplog, signing
from sync.certificate import Certificate
from sync.log_reader import LogReader
from sync.operation import Change
from sync.oplog import Segment
from sync.replica import Identity, Replica
from sync.signing import SigningKey

OPS_AT_ONCE = 500
CONFLICT_SHARE = 0.05


def certify(hub: Node, public: bytes, sealing: bytes, label: str) -> Certificate:
    """The certificate that the hub gives to a terminal."""
    assert hub.root_public is not None
    return Certificate.make(
        SigningKey(hub.keys.signing_seed),
        hub.certificate,
        root=signing.root_fingerprint(hub.root_public),
        public=public,
        sealing=sealing,
        name=label,
        label=label,
        capabilities=frozenset({"field"}),
        issued_ms=hub.clock(),
        serial=secrets.token_bytes(16),
    )


def enrolled(home: Path, hub: Node, url: str, label: str) -> None:
    """A terminal's data folder, let into the city without a walk over HTTP."""
    stage.make_terminal(home, label)
    with stage.opened(home) as node:
        public, sealing = SigningKey(node.keys.signing_seed).public, signing.sealing_public(node.keys.sealing_seed)
        assert hub.root_public is not None
        node.adopt_certificate(certify(hub, public, sealing, label).encode(), hub.root_public, url)


def replica(hub: Node, label: str) -> Replica:
    """A writer in memory."""
    key = SigningKey.generate()
    held = certify(hub, key.public, os.urandom(32), label)
    connection = dbapi2.connect(":memory:", isolation_level=None, check_same_thread=False)
    for statement in (*oplog.CREATE, *create_statements(KINDS)):
        connection.execute(statement)
    identity = Identity(key, held.node_id, hub.root_public, held)
    now = lambda: time.time_ns() // 1_000_000  # noqa: E731
    return Replica(connection, KINDS, judge, SqlProjection(connection, KINDS), identity, now, os.urandom)


def write_singly(writer: Replica, changes: list[Change]) -> None:
    """Each change as if it had been saved alone: a signature of its own."""

    def save(part: list[Change]) -> None:
        for change in part:
            writer.record([change], None)
            authoring.sign(writer)

    for first in range(0, len(changes), OPS_AT_ONCE):
        part = changes[first : first + OPS_AT_ONCE]
        _, committed = writer.run_batch([lambda _, part=part: save(part)])  # type: ignore[misc]
        assert committed.position >= len(part)


def log_of(writer: Replica, known: dict[bytes, int] | None = None) -> list[list[Segment]]:
    """Its log above what is ``known``, as runs of at most 500 operations."""
    reader, sent, cursors = LogReader(writer.connection), dict(known or {}), dict[int, int]()
    runs: list[list[Segment]] = []
    while segments := reader.next_segments(sent, cursors, ops_max=OPS_AT_ONCE, bytes_max=1 << 20):
        runs.append(segments)
    return runs


def count(runs: list[list[Segment]]) -> int:
    return sum(len(segment.bodies) for run in runs for segment in run)


def mixed(hub: Node, scope: bytes, documents: list[corpus.Document], writers: int = 5) -> list[list[Segment]]:
    """Half reports, half edits of one field by writers who know all of the reports; 5 % of the edits meet in one field.

    The runs go round the writers, as the links of a hub give them.
    """
    tablets = [replica(hub, f"T{number:02d}") for number in range(1, writers + 1)]
    half = len(documents) // 2
    changes = corpus.creates(scope, documents[:half])
    for number, tablet in enumerate(tablets):
        write_singly(tablet, changes[number::writers])
    made = [log_of(tablet) for tablet in tablets]
    for tablet in tablets:
        for run in _round(made):
            tablet.run_batch([lambda replica, run=run: replica.receive(run, None)])  # type: ignore[misc]
    known = tablets[0].vector
    for tablet, part in zip(tablets, _edits(changes, half, writers), strict=True):
        write_singly(tablet, part)
    return _round(made) + _round([log_of(tablet, known) for tablet in tablets])


def _edits(changes: list[Change], count: int, writers: int) -> list[list[Change]]:
    """``count`` edits of one field, in so many parts; one in forty is met by another's of the same record."""
    chance = random.Random(corpus.SEED)
    parts: list[list[Change]] = [[] for _ in range(writers)]
    pairs = int(count * CONFLICT_SHARE / 2)
    for number, change in enumerate(chance.sample(changes, count - pairs)):
        record = uuid.UUID(bytes=change.record)
        for other in range(2 if number < pairs else 1):
            form = {"description": f"{number} {corpus.WHAT[(number + other) % len(corpus.WHAT)]}"}
            parts[(number + other) % writers].append(damage_reports.edit(record, change.scope, form, None))
    return parts


def _round(logs: list[list[list[Segment]]]) -> list[list[Segment]]:
    longest = max(len(log) for log in logs)
    return [log[at] for at in range(longest) for log in logs if at < len(log)]
