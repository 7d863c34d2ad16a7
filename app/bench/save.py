"""One saved report, from stamp to commit, in turns with a bare INSERT on the same engine; then edits of one field.

Then reports saved in turns on a node and on its copy whose store has no key: what encryption at rest costs.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from app.bench import corpus, emit, percentile, stage, unkeyed
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
        _against_unkeyed(folder, corpus.documents(SAVES + WARM_UP, path))


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


def _against_unkeyed(folder: Path, listed: list[corpus.Document]) -> None:
    """The same reports on both, the first of each pair by turns: a commit of one disk warms nothing for the other."""
    with stage.opened(folder / "hub") as node:
        _, scope = stage.open_incident(node)
    creates = corpus.creates(scope, listed)
    took: dict[str, list[float]] = {"keyed": [], "unkeyed": []}
    with contextlib.ExitStack() as stack:
        clear = stack.enter_context(unkeyed.copied(folder / "hub", folder / "clear"))
        homes = {"keyed": folder / "hub", "unkeyed": clear}
        nodes = [(name, stack.enter_context(stage.opened(home))) for name, home in homes.items()]
        for number, change in enumerate(creates):
            for name, node in nodes if number % 2 else reversed(nodes):
                took[name].append(timed(lambda node=node, change=change: node.write([change], None)))  # type: ignore[misc]
    rates = {name: (len(times) - WARM_UP) / sum(times[WARM_UP:]) for name, times in took.items()}
    for name, rate in rates.items():
        emit("save", f"{name}_creates_per_s", rate, "1/s")
    emit("save", "unkeyed_ratio", rates["keyed"] / rates["unkeyed"], "ratio")
