"""A report from terminal A over the hub to terminal B, durable on all three: from the save until B tells its pages.

The hub is a process of its own, both terminals are in this one: one clock. The bytes are counted over a line that
carries both links, in a part of their own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from app import processes
from app.bench import corpus, emit, percentile, stage, sync
from app.bench.line import line
from app.node import Node
from app.store.projection import id_text
from sync.operation import Change

REPORTS, COUNTED, WARM_UP, PAUSE_S, PATIENCE_S = 1_000, 200, 20, 0.005, 30.0
QUIET_S = 0.5  # after it the last receipts have gone


def run(path: Path | None = None) -> None:
    listed = corpus.documents(REPORTS + WARM_UP, path)
    with stage.folder() as folder:
        port = stage.free_port()
        scope = sync.make_city(folder / "city", port, lambda hub, home, scope: None)
        changes = corpus.creates(scope, listed)
        with processes.serving(folder / "city", {"hub": port}):
            with _linked(folder / "city") as (one, other):
                _pass_on(one, other, changes[:WARM_UP])
                took = _pass_on(one, other, changes[WARM_UP:])
            for metric, value in (
                ("p50", percentile(took, 0.5)),
                ("p99", percentile(took, 0.99)),
                ("max", max(took)),
            ):
                emit("live", f"relay_{metric}", value * 1000, "ms")
            _count_bytes(folder / "city", port, corpus.creates(scope, listed[:COUNTED]))


def _count_bytes(city: Path, port: int, changes: list[Change]) -> None:
    with line(port) as counted, _linked(city, counted.url) as (one, other):
        time.sleep(QUIET_S)
        before = counted.carried
        _pass_on(one, other, changes)
        time.sleep(QUIET_S)
        emit("live", "relay_wire", (counted.carried - before) / len(changes), "B/op")


@contextlib.contextmanager
def _linked(city: Path, hub_url: str | None = None) -> Iterator[tuple[Node, Node]]:
    """Both terminals, with a link to the hub."""
    with stage.opened(city / "full", hub_url) as one, stage.opened(city / "empty", hub_url) as other:
        for node in (one, other):
            node.start()
            stage.await_link(node)
        yield one, other


def _pass_on(one: Node, other: Node, changes: list[Change]) -> list[float]:
    """Save each on one terminal and wait until the other has it durably."""
    waited_for, came, at = "", threading.Event(), 0.0

    def seen(changed: list[tuple[str, bytes, str]]) -> None:
        nonlocal at
        if any(record == waited_for for _, _, record in changed):
            at = time.perf_counter()
            came.set()

    other.subscribe(seen)
    took: list[float] = []
    for change in changes:
        waited_for = id_text(change.record)
        came.clear()
        began = time.perf_counter()
        one.write([change], None)
        assert came.wait(PATIENCE_S), "a report did not come"
        took.append(at - began)
        time.sleep(PAUSE_S)  # one at a time: this measures latency, not throughput
    return took
