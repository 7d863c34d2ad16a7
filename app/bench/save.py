"""One saved report, from stamp to commit, in turns with a bare INSERT on the same engine; then edits of one field."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from app.bench import corpus, emit, percentile, stage
from app.bench.floor import Floor, floor, timed
from app.node import Node
from app.records import damage_reports
from sync.operation import Change

SAVES, WARM_UP = 1_000, 50


def run(path: Path | None = None) -> None:
    listed = corpus.documents(SAVES + WARM_UP, path)
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        with stage.opened(folder / "hub") as node:
            _, scope = stage.open_incident(node)
            creates = corpus.creates(scope, listed)
            edits = [
                damage_reports.edit(uuid.UUID(bytes=change.record), scope, {"urgency": "red"}, None)
                for change in stage.shuffled(creates)
            ]
            for name, changes in (("create", creates), ("update", edits)):
                with floor(folder / f"{name}.db") as beside:
                    _measure(name, node, changes, beside)


def _measure(name: str, node: Node, changes: Sequence[Change], beside: Floor) -> None:
    for change in changes[:WARM_UP]:
        node.write([change], None)
    took: list[float] = []
    for change in changes[WARM_UP:]:
        beside.single()
        took.append(timed(lambda change=change: node.write([change], None)))  # type: ignore[misc]
    rate = len(took) / sum(took)
    emit("save", f"{name}_floor_per_s", beside.rate, "1/s")
    emit("save", f"{name}s_per_s", rate, "1/s")
    emit("save", f"{name}s_of_floor", rate / beside.rate, "ratio")
    emit("save", f"{name}_p50", percentile(took, 0.5) * 1000, "ms")
    emit("save", f"{name}_p99", percentile(took, 0.99) * 1000, "ms")
