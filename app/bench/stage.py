"""What the benchmarks stand on: a city of nodes in a folder of its own, and the reports that fill it."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from uuid6 import uuid7

from app import catalog, processes
from app.config import Settings
from app.node import Node
from app.records import damage_reports, head_counts, incidents, shelter_openings, shelters
from app.records.noun import CITY, scope_of
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync.operation import Change

PASSPHRASE = "benchmark-passphrase"
LINK_S_MAX = 30.0
PLACES = (
    "柳橋アンダーパス",
    "県道12号 新田交差点",
    "川辺2丁目",
    "本郷小学校 正門前",
    "大葦川左岸 4.2k",
    "桜台公園通り",
)
WHAT = (
    "ひざまでの冠水、車両1台が立往生",
    "倒木で車道をふさぐ",
    "床下浸水 3棟",
    "堤防下から漏水",
    "停電 約40戸",
    "通行止めの看板なし",
)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tomoshibi-bench-") as name:
        yield Path(name)


@contextlib.contextmanager
def opened(home: Path, hub_url: str | None = None) -> Iterator[Node]:
    """The node of a folder, in this process; ``hub_url`` where it calls another address than it was given."""
    place = DataFolder(home)
    with place.lock():
        node = Node.open(place, read_keys(place.keys, None), Settings(home=home, hub_url=hub_url))
        try:
            yield node
        finally:
            node.close()


def await_link(node: Node) -> None:
    """Until a terminal that was started has a link to its hub."""
    deadline = time.monotonic() + LINK_S_MAX
    while node.links.hub()["state"] != "connected":
        assert time.monotonic() < deadline, "the terminal found no hub"
        time.sleep(0.02)


def make_hub(home: Path) -> None:
    processes.command(home, "init", "--role", "hub", "--name", "hub", "--json")


def make_terminal(home: Path, name: str) -> None:
    processes.command(home, "init", "--role", "terminal", "--name", name, "--json")


def shuffled(changes: Sequence[Change], seed: int = 1) -> list[Change]:
    """In an order of no record's age."""
    listed = list(changes)
    random.Random(seed).shuffle(listed)
    return listed


def open_incident(node: Node) -> tuple[str, bytes]:
    """A drill incident: its id and scope."""
    record = uuid7()
    node.write([incidents.create(record, CITY, {"name": "ベンチ", "mode": "drill", "kind": "flood"})], None)
    return str(record), scope_of("drill", str(record))


def reports(scope: bytes, count: int, seed: int = 1) -> Iterator[Change]:
    """Damage reports of about 450 bytes a body, the same words for the same seed."""
    chance = random.Random(seed)
    categories = catalog.table("damage_categories").codes
    statuses = ("open", "accepted", "in_progress", "done", "not_needed")
    for number in range(count):
        place, what = chance.choice(PLACES), chance.choice(WHAT)
        form: dict[str, Any] = {
            "category": chance.choice(list(categories)),
            "summary": f"{place} {what}",
            "description": f"{number} {what}。{place}から{chance.randrange(10, 400)} m。" + chance.choice(WHAT),
            "response_status": chance.choice(statuses),
            "urgency": chance.choice(("red", "yellow", "green", "white", None)),
            "location": [136.0 + chance.random() / 20, 31.5 + chance.random() / 40],
            "accuracy_m": float(chance.randrange(3, 60)),
            "address": place,
        }
        yield damage_reports.create(uuid7(), scope, form, reporter_role="patrol")


def fill(node: Node, scope: bytes, count: int) -> None:
    listed = list(reports(scope, count))
    for first in range(0, count, 500):
        node.write(listed[first : first + 500], None)


def fill_shelters(node: Node, incident: str, scope: bytes, shelters_count: int, head_counts_count: int) -> None:
    """Open shelters, each counted again and again at two posts."""
    ids = [uuid7() for _ in range(shelters_count)]
    now = node.clock()
    made = [
        shelters.create(one, CITY, {"name": f"第{number}小学校", "capacity": 300, "location": [136.0, 31.5]})
        for number, one in enumerate(ids)
    ]
    made += [shelter_openings.first(scope, incident, str(one), "open") for one in ids]
    for number in range(head_counts_count):
        form: dict[str, Any] = {"shelter_id": str(ids[number % len(ids)]), "total": number % 300}
        form |= {"post": "正門"} if number % 3 else {}
        form["counted_at"] = now - (head_counts_count - number) * 1_000
        made.append(head_counts.create(uuid7(), scope, form))
    for first in range(0, len(made), 500):
        node.write(made[first : first + 500], None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody who is logged in, without a browser."""

    session: requests.Session
    url: str

    def get(self, path: str) -> requests.Response:
        answer = self.session.get(self.url + path, timeout=30)
        answer.raise_for_status()
        return answer


def log_in(url: str, name: str, session: requests.Session | None = None) -> Browser:
    session = session or requests.Session()
    session.trust_env = False
    page = session.get(f"{url}/login", timeout=30)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    action = re.search(r'<form[^>]*class="form login"[^>]*action="([^"]+)"', page.text)
    assert token is not None and action is not None, "the login page has another shape"
    form = {"csrf_token": token[1], "name": name, "passphrase": PASSPHRASE}
    answer = session.post(url + action[1], data=form, timeout=30)
    assert answer.ok and "/login" not in answer.url, "the login was refused"
    return Browser(session, url)


def add_person(home: Path, name: str, role: str) -> None:
    processes.command(home, "user", "add", name, "--role", role, "--password-stdin", text=PASSPHRASE + "\n")


def shown_by(hub: Node, node_id: bytes, label: str) -> dict[str, bytes]:
    """A key and a leaf of the hub's city for a terminal, as it would hold them."""
    from app.pki import authority, leaf
    from app.tls.held import Held

    key, issuer = authority.new_key(), hub.tls.held.issuer
    assert issuer is not None
    made = leaf.issue_node(issuer, key.public_key(), node_id, label, hub.clock())
    held = Held(hub.tls.held.authority, hub.tls.held.endorsement, authority.key_bytes(key), made, hub.tls.held.issuing)
    return {name: getattr(held, name) for name in Held.__slots__}


def new_message(channel: str, text: str) -> dict[str, str]:
    return {"id": str(uuid.UUID(bytes=uuid7().bytes)), "channel_id": channel, "text": text}
