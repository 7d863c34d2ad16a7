"""What a hub takes in without the socket: runs of up to 500 operations, checked, folded and committed.

Each figure is beside the same engine's INSERT of 500 rows a commit, in turns with it.
"""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path

from app.bench import corpus, emit, stage, tablets
from app.bench.floor import floor, timed
from app.node import Node
from app.records import damage_reports
from sync.operation import NewerBody, Operation
from sync.oplog import Segment, Stream
from sync.projector import Projector
from sync.replica import Replica

REPORTS = 10_000


def run(path: Path | None = None) -> None:
    listed = corpus.documents(REPORTS, path)
    emit("ingest", "document_bytes", corpus.mean_bytes(listed), "B")
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        with stage.opened(folder / "hub") as hub:
            _, scope = stage.open_incident(hub)
            writer = tablets.replica(hub, "T01")
            changes = corpus.creates(scope, listed)
            tablets.write_singly(writer, changes)
            creates, known = tablets.log_of(writer), writer.vector
            _take("creates", hub, creates)
            _take("log_alone", hub, creates, folder / "log")
            edits = [
                damage_reports.edit(uuid.UUID(bytes=change.record), scope, {"urgency": _URGENCIES[number % 4]}, None)
                for number, change in enumerate(stage.shuffled(changes))
            ]
            tablets.write_singly(writer, edits)
            _take("updates", hub, tablets.log_of(writer, known))
            _take("mixed", hub, tablets.mixed(hub, scope, listed))


_URGENCIES = ("red", "yellow", "green", "white")


def _take(name: str, hub: Node, runs: list[list[Segment]], alone: Path | None = None) -> None:
    """Give runs to the hub, or to an empty store that keeps the log and makes no tables."""
    if alone is None:
        _measure(name, hub.home, hub, runs)
        return
    stage.make_hub(alone)
    with stage.opened(alone) as taker:
        replica = taker.replica
        replica.identity = hub.replica.identity
        replica.projector = _LogAlone(
            replica.connection, replica.kinds, replica.judge, replica.projection, replica.streams, replica.keyring
        )
        _measure(name, alone, taker, runs)


def _measure(name: str, home: Path, taker: Node, runs: list[list[Segment]]) -> None:
    count, took = tablets.count(runs), 0.0
    before = sum(taker.replica.vector.values())
    with floor(home / f"{name}.floor.db") as beside:
        for one in runs:
            beside.batch()
            took += timed(partial(taker.writer.call, partial(_receive, one), tablets.count([one])))
        assert sum(taker.replica.vector.values()) == before + count, "the bench lost operations"
        emit("ingest", f"{name}_per_s", count / took, "1/s")
        emit("ingest", f"{name}_floor_rows_per_s", beside.rate, "1/s")
        emit("ingest", f"{name}_of_floor", count / took / beside.rate, "ratio")


def _receive(segments: list[Segment], replica: Replica) -> object:
    return replica.receive(segments, None)


class _LogAlone(Projector):
    """Folds nothing: what the log itself costs, with all its checks."""

    def open_many(self, operations: list[Operation | NewerBody]) -> None:  # type: ignore[override]
        return

    def take(self, stream: Stream, operation: Operation | NewerBody) -> None:
        return
