"""HQ goes back to an earlier time, with 20,000 operations in one incident, then 200,000.

How long the first time that is asked for waits until the log is folded, another one, and every page after it.
"""

from __future__ import annotations

import time
from pathlib import Path

from app import processes
from app.bench import command, emit, percentile, stage
from app.queries import users
from app.replay.shelf import HOUR_MS

FEW, MANY = 20_000, 200_000
HOURS, STEPS = 10, 40
ROUNDS, WARM_UP = 30, 3


def run() -> None:
    for size in (FEW, MANY):
        with stage.folder() as folder:
            incident, channel, at = _night(folder, size)
            port = stage.free_port()
            with processes.serving(folder, {"hub": port}):
                browser = stage.log_in(processes.url(port), "統括")
                for name, value, unit in _measured(browser, incident, channel, at):
                    emit("replay", f"{name}_at_{size}", value, unit)


def _night(folder: Path, size: int) -> tuple[str, str, int]:
    """An incident that came in over ten hours: its id, a channel, and the time at its end."""
    home = folder / "hub"
    stage.make_hub(home)
    stage.add_person(home, "統括", "commander")
    with stage.opened(home) as node:
        node.correct_clock(-HOURS * HOUR_MS)
        incident, scope = stage.open_incident(node)
        channel = command.orders(node, scope, users.listed(node.reader())[0].id)
        for step in range(STEPS):
            node.correct_clock((step * HOURS * HOUR_MS) // STEPS - HOURS * HOUR_MS)
            command.fill(node, scope, channel, size // STEPS)
        return incident, channel, node.clock()


def _measured(browser: stage.Browser, incident: str, channel: str, at: int) -> list[tuple[str, float, str]]:
    def then(ms: int) -> str:
        return f"/replay/node-{ms}/incidents/{incident}"

    here = then(at)
    _took(browser, f"/incidents/{incident}")  # the page itself is made ready
    found = [("first_time", _took(browser, here), "s")]
    found.append(("ten_minutes_back", _took(browser, then(at - HOUR_MS // 6)), "s"))
    found.append(("five_hours_back", _took(browser, then(at - 5 * HOUR_MS)), "s"))
    found.append(("ten_minutes_on", _took(browser, then(at - 5 * HOUR_MS + HOUR_MS // 6)), "s"))
    for name, path in (
        ("front", ""),
        ("damage_reports", "/damage-reports"),
        ("chronology", "/chronicle"),
        ("map_data", "/map/data"),
        ("chat", f"/chat/{channel}"),
    ):
        took = [_took(browser, here + path) * 1000 for _ in range(ROUNDS + WARM_UP)]
        found.append((f"{name}_p95", percentile(took[WARM_UP:], 0.95), "ms"))
    return found


def _took(browser: stage.Browser, path: str) -> float:
    began = time.monotonic()
    browser.session.get(browser.url + path, timeout=300).raise_for_status()
    return time.monotonic() - began
