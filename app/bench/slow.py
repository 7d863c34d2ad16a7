"""Twenty thousand operations over 128 kbit/s and 600 ms of round trip: whether all come, and how much goes twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import processes
from app.bench import corpus, emit, stage, sync
from app.bench.line import line
from app.node import Node
from sync import protocol
from sync.link import Link
from sync.protocol import Run

REPORTS = 20_000
BYTES_S, DELAY_S = 128_000 / 8, 0.3  # one way
POLL_S, PATIENCE_S = 0.5, 1_200.0


def run(path: Path | None = None) -> None:
    listed = corpus.documents(REPORTS, path)
    with stage.folder() as folder:
        port = stage.free_port()
        city = folder / "city"
        sync.make_city(city, port, lambda hub, home, scope: sync.write(home, scope, listed), ("full",))
        with (
            processes.serving(city, {"hub": port}),
            line(port, BYTES_S, DELAY_S) as slow,
            stage.opened(city / "full", slow.url) as node,
            sync.store(city / "hub") as taken,
        ):
            sent = _count_sent(node)
            before, wanted, began = sync.total(taken), REPORTS + 1, time.monotonic()
            node.start()
            while node.unsent() and time.monotonic() - began < PATIENCE_S:
                time.sleep(POLL_S)
            took = time.monotonic() - began
            assert sync.total(taken) == before + wanted, "not all operations came"
            assert node.unsent() == 0, "not all operations were receipted"
            emit("slow", "completes", took, "s")
            emit("slow", "resent", sent[0] / wanted - 1, "ratio")
            emit("slow", "wire", slow.carried / REPORTS, "B/op")
            emit("slow", "links", slow.joined, "links")


def _count_sent(node: Node) -> list[int]:
    """Count the operations that leave the node, over all of its links."""
    sent = [0]
    peers = node.links._peers  # every link is made there
    new_link: Callable[..., Link] = peers.new_link

    def counting(*, send: Callable[[bytes], None], **others: Any) -> Link:
        def count(frame: bytes) -> None:
            found = protocol.decode(frame)
            if isinstance(found, Run):
                sent[0] += sum(len(segment.bodies) for segment in found.segments)
            send(frame)

        return new_link(send=count, **others)

    peers.new_link = counting  # type: ignore[method-assign]
    return sent
