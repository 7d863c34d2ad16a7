"""How long a node takes from its start until it answers, with 10,000 reports in its store."""

from __future__ import annotations

import time

from app import processes
from app.bench import emit, percentile, stage

REPORTS, ROUNDS = 10_000, 5


def run() -> None:
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        with stage.opened(folder / "hub") as node:
            _, scope = stage.open_incident(node)
            stage.fill(node, scope, REPORTS)
        took: list[float] = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            with processes.serving(folder, {"hub": stage.free_port()}):
                took.append(time.monotonic() - began)
    emit("start", "ready_p50", percentile(took, 0.5), "s")
    emit("start", "ready_max", max(took), "s")
