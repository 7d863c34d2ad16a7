"""Pages of a hub with 10,000 reports and 34 shelters that count, over HTTP on loopback, one request at a time."""

from __future__ import annotations

import time

from app import processes
from app.bench import emit, percentile, stage

REPORTS, SHELTERS, HEAD_COUNTS, ROUNDS, WARM_UP = 10_000, 34, 1_000, 60, 5


def run() -> None:
    with stage.folder() as folder:
        home, port = folder / "hub", stage.free_port()
        stage.make_hub(home)
        with stage.opened(home) as node:
            incident, scope = stage.open_incident(node)
            stage.fill(node, scope, REPORTS)
            stage.fill_shelters(node, incident, scope, SHELTERS, HEAD_COUNTS)
        with processes.serving(folder, {"hub": port}):
            stage.add_person(home, "統括", "commander")
            browser = stage.log_in(processes.url(port), "統括")
            for name, path in (
                ("front", f"/incidents/{incident}"),
                ("damage_reports", f"/incidents/{incident}/damage-reports"),
                ("shelters", f"/incidents/{incident}/shelters"),
            ):
                took: list[float] = []
                for _ in range(ROUNDS + WARM_UP):
                    began = time.monotonic()
                    browser.get(path)
                    took.append((time.monotonic() - began) * 1000)
                took = took[WARM_UP:]
                emit("pages", f"{name}_p50", percentile(took, 0.5), "ms")
                emit("pages", f"{name}_p95", percentile(took, 0.95), "ms")
