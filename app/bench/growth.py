"""Ten times the operations: what a save, the taking of others' operations and the front page then take."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app import processes
from app.bench import corpus, emit, percentile, stage, tablets
from app.bench.floor import Floor, floor, timed
from app.node import Node

FEW, MANY = 20_000, 200_000
SAVES, TAKEN, PAGES, WARM_UP = 300, 4_000, 60, 10
Figures = dict[str, float]


def run() -> None:
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        with stage.opened(folder / "hub") as hub:
            incident, scope = stage.open_incident(hub)
        stage.add_person(folder / "hub", "統括", "commander")
        found: dict[int, Figures] = {}
        held = 0
        for size in (FEW, MANY):
            with stage.opened(folder / "hub") as hub:
                stage.fill(hub, scope, size - held)
                with floor(folder / f"{size}.db") as beside:
                    found[size] = _in_process(hub, scope, beside)
                held = sum(hub.replica.vector.values())
            found[size]["front"] = _front_page(folder, incident)
            for metric, value in found[size].items():
                emit("growth", f"{metric}_at_{size}", value, "ms" if metric == "front" else "of_floor")
    for metric, value in found[MANY].items():
        emit("growth", f"{metric}_growth", value / found[FEW][metric], "ratio")


def _in_process(hub: Node, scope: bytes, beside: Floor) -> Figures:
    """How many times as long as the engine's own inserts, in turns with them: other work of the machine falls out."""
    changes = corpus.creates(scope, corpus.documents(SAVES + WARM_UP))
    saves = _beside([lambda change=change: hub.write([change], None) for change in changes], beside, beside.single)  # type: ignore[misc]
    writer = tablets.replica(hub, "T01")
    tablets.write_singly(writer, corpus.creates(scope, corpus.documents(TAKEN)))
    runs = tablets.log_of(writer)
    takes = _beside(
        [lambda run=run: hub.writer.call(lambda replica: replica.receive(run, None), 500) for run in runs],  # type: ignore[misc]
        beside,
        beside.batch,
    )
    return {"save": saves, "sync": takes}


def _beside(calls: list[Callable[[], object]], beside: Floor, step: Callable[[], None]) -> float:
    """The median of what a call takes, as a multiple of the median of the floor's step."""
    ours: list[float] = []
    theirs: list[float] = []
    for call in calls:
        theirs.append(timed(step))
        ours.append(timed(call))
    return percentile(ours, 0.5) / percentile(theirs, 0.5)


def _front_page(folder: Path, incident: str) -> float:
    port = stage.free_port()
    with processes.serving(folder, {"hub": port}):
        browser = stage.log_in(processes.url(port), "統括")
        took: list[float] = []
        for _ in range(PAGES + WARM_UP):
            began = time.monotonic()
            browser.get(f"/incidents/{incident}")
            took.append((time.monotonic() - began) * 1000)
    return percentile(took[WARM_UP:], 0.5)
