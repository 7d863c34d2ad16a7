"""HQ goes back to an earlier time, with 20,000 operations in one incident, then 200,000.

How long the first page of a time waits for the log to be folded, a later one, and every page after it.
"""

from __future__ import annotations

import time

from app import processes
from app.bench import command, emit, percentile, stage
from app.queries import users

FEW, MANY = 20_000, 200_000
ROUNDS, WARM_UP = 30, 3


def run() -> None:
    with stage.folder() as folder:
        home = folder / "hub"
        stage.make_hub(home)
        stage.add_person(home, "統括", "commander")
        with stage.opened(home) as node:
            incident, scope = stage.open_incident(node)
            channel = command.orders(node, scope, users.listed(node.reader())[0].id)
        held = 0
        for size in (FEW, MANY):
            with stage.opened(home) as node:
                command.fill(node, scope, channel, size - held)
                at = node.clock()
            held = size
            port = stage.free_port()
            with processes.serving(folder, {"hub": port}):
                browser = stage.log_in(processes.url(port), "統括")
                for name, value, unit in _measured(browser, incident, channel, at):
                    emit("replay", f"{name}_at_{size}", value, unit)


def _measured(browser: stage.Browser, incident: str, channel: str, at: int) -> list[tuple[str, float, str]]:
    here = f"/replay/node-{at}/incidents/{incident}"
    found = [("first_page", _took(browser, here), "s")]
    earlier = f"/replay/node-{at - 1}/incidents/{incident}"
    found.append(("another_time", _took(browser, earlier), "s"))
    pages = (
        ("front", ""),
        ("damage_reports", "/damage-reports"),
        ("chronology", "/chronicle"),
        ("map_data", "/map/data"),
    )
    for name, path in (*pages, ("chat", f"/chat/{channel}")):
        took = [_took(browser, here + path) * 1000 for _ in range(ROUNDS + WARM_UP)]
        found.append((f"{name}_p95", percentile(took[WARM_UP:], 0.95), "ms"))
    return found


def _took(browser: stage.Browser, path: str) -> float:
    began = time.monotonic()
    browser.session.get(browser.url + path, timeout=300).raise_for_status()
    return time.monotonic() - began
