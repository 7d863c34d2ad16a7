"""HQ's pages with 20,000 operations in one incident, then 200,000: front page, lists, chronology, chat, search; and
with 20,000 the workbook of a whole list and 400 lines of the chronology for the printer.

Server time as a browser on loopback waits for it, one request at a time.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from uuid6 import uuid7

from app import processes, words
from app.bench import emit, percentile, stage
from app.node import Node
from app.queries import users
from app.records import channels, chat_messages, chronicle, instruction_replies, instructions
from sync.operation import Change

FEW, MANY = 20_000, 200_000
INSTRUCTIONS, LINES = 200, 400
CHAT_SHARE = 10  # of a hundred operations
ROUNDS, WARM_UP = 40, 5
TABLES = 3  # of what is asked for once a night, this often


def run() -> None:
    with stage.folder() as folder:
        home = folder / "hub"
        stage.make_hub(home)
        stage.add_person(home, "統括", "commander")
        with stage.opened(home) as node:
            incident, scope = stage.open_incident(node)
            person = users.listed(node.reader())[0].id
            channel = orders(node, scope, person)
        found: dict[int, dict[str, float]] = {}
        held = 0
        for size in (FEW, MANY):
            with stage.opened(home) as node:
                fill(node, scope, channel, size - held)
                sealed = {said: words.seal(node.keys.data_key, said) for said in ("柳橋", "記録")}
            held = size
            found[size] = _pages(folder, incident, channel, sealed, tables=size == FEW)
            for name, value in found[size].items():
                emit("command", f"{name}_at_{size}", value, "ms")
        for name, value in found[MANY].items():
            if name.endswith("_p95"):
                emit("command", f"{name}_growth", value / found[FEW][name], "ratio")


def orders(node: Node, scope: bytes, person: str) -> str:
    """Instructions with their answers, lines of the chronology, a channel; the channel's id."""
    channel = uuid7()
    made: list[Change] = [channels.create(channel, scope, {"name": "本部と現場"})]
    for number in range(INSTRUCTIONS):
        one = uuid7()
        form = {"text": f"{stage.PLACES[number % 6]}へ向かう", "recipients": [person], "priority": "normal"}
        made.append(instructions.create(one, scope, form))
        for state in ("ack", "started", "done")[: number % 4]:
            made.append(instruction_replies.create(uuid7(), scope, {"instruction_id": str(one), "state": state}))
    made += [chronicle.create(uuid7(), scope, {"text": f"記録 {number}"}) for number in range(LINES)]
    for first in range(0, len(made), 500):
        node.write(made[first : first + 500], person)
    return str(channel)


def fill(node: Node, scope: bytes, channel: str, count: int) -> None:
    """Reports and chat, so many operations."""
    chance = random.Random(count)
    reports = stage.reports(scope, count)
    made = [
        chat_messages.create(uuid7(), scope, {"channel_id": channel, "text": chance.choice(stage.WHAT)})
        if chance.randrange(100) < CHAT_SHARE
        else next(reports)
        for _ in range(count)
    ]
    for first in range(0, count, 500):
        node.write(made[first : first + 500], None)
    node.search.fold_all()  # as in the moments without work that a night has between its records


def _pages(folder: Path, incident: str, channel: str, sealed: dict[str, str], tables: bool) -> dict[str, float]:
    port, figures = stage.free_port(), dict[str, float]()
    with processes.serving(folder, {"hub": port}):
        browser = stage.log_in(processes.url(port), "統括")
        here = f"/incidents/{incident}"
        for name, path in (
            ("front", here),
            ("damage_reports", f"{here}/damage-reports"),
            ("filtered", f"{here}/damage-reports?group=open&urgency=red&words={sealed['柳橋']}"),
            ("instructions", f"{here}/instructions"),
            ("chronicle", f"{here}/chronicle"),
            ("chronicle_search", f"{here}/chronicle?words={sealed['記録']}"),
            ("search", f"{here}/search?words={sealed['柳橋']}"),
            ("chat", f"{here}/chat/{channel}"),
        ):
            took: list[float] = []
            for _ in range(ROUNDS + WARM_UP):
                began = time.monotonic()
                browser.get(path)
                took.append((time.monotonic() - began) * 1000)
            figures[f"{name}_first"] = took[0]
            figures[f"{name}_p50"], figures[f"{name}_p95"] = (percentile(took[WARM_UP:], p) for p in (0.5, 0.95))
        for name, path in (
            ("workbook", f"{here}/tables/damage-reports.xlsx"),
            ("print", f"{here}/chronicle/print?group=written"),
        ):
            took = []
            for _ in range(TABLES if tables else 0):
                began = time.monotonic()
                browser.get(path)
                took.append((time.monotonic() - began) * 1000)
            figures |= {f"{name}_max": max(took)} if took else {}
    return figures
