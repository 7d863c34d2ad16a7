"""`demo`: a hub and two terminals as real processes, the invented city, a drill incident; Ctrl-C stops them all.

Every step is the command or the HTTP call that a city would use: nothing here reaches into a store.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from app import processes
from app.errors import CommandFailed

INCIDENT = {"name": "令和元年台風第19号", "mode": "drill", "kind": "typhoon", "phase": "emergency"}
WELCOME = "訓練を始めます。巡回班は被害を見つけたら、端末の「被害を報告」から送ってください。"
ROUND_STOPS, ROUND_TEAM, ROUND_CALL_SIGN = 6, "巡回3班", "無線 あしはら巡回3"
SILENT, OLD, TWO_POSTS = 11, 6, 4  # by their place in the list of shelters
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for another


@dataclass(frozen=True, slots=True)
class Person:
    node: str
    name: str
    role: str
    what: str
    team: str | None = None  # one of the staff list


PEOPLE = (
    Person("hub", "佐久間", "commander", "災害対策本部 統括班"),
    Person("hub", "管理者", "admin", "システム管理者"),
    Person("terminal-a", "梶原", "patrol", "巡回3班", ROUND_TEAM),
    Person("terminal-b", "宮脇", "shelter_staff", "避難所指定職員"),
)
MAPS = (
    ("boundary", "boundary.geojson"),
    ("basemap", "basemap.pmtiles", "--title", "葦原市の背景地図", "--source", "訓練用(架空)"),
    ("hazard", "flood_depth.geojson"),
    ("hazard", "flood_duration.geojson"),
    ("hazard", "collapse_zone.geojson"),
)
STAFF = ("staff", "staff.csv")
ARRIVES_S = 30.0
IMPORTS_AT_ONCE = 2  # each is a process of its own, and a tablet has two cores
NODES = {"hub": "葦原市 災害対策本部", "terminal-a": "巡回3班の端末", "terminal-b": "葦原第二小学校の端末"}


def run(port: int, folder: Path | None) -> None:
    """Run the demo until Ctrl-C. A named folder is kept, and used again the next time."""
    ports = dict(zip(NODES, range(port, port + len(NODES)), strict=True))
    for wanted in ports.values():
        processes.refuse_taken(wanted)
    with contextlib.ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tomoshibi-demo-")))
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        logins = home / "logins.json"
        fresh = not logins.exists()
        if fresh:
            _refuse_half_made(home)
            for name in NODES:
                role = "hub" if name == "hub" else "terminal"
                processes.command(home / name, "init", "--role", role, "--name", NODES[name], "--json")
        running = stack.enter_context(processes.serving(home, ports))
        if fresh:
            passphrases = _set_up(home, ports)
            logins.touch(0o600)
            logins.write_text(json.dumps(passphrases, ensure_ascii=False), "utf-8")
        _announce(ports, json.loads(logins.read_text("utf-8")), home if folder else None)
        _wait(running)


def _set_up(home: Path, ports: dict[str, int]) -> dict[str, str]:
    hub_url = processes.url(ports["hub"])
    for name in NODES:
        if name != "hub":
            code = processes.command(home / "hub", "enrol-code", "--json")["code"]
            processes.command(home / name, "enrol", "--hub", hub_url, "--code", code)
    passphrases = {person.name: _passphrase() for person in PEOPLE}
    for person in PEOPLE:
        if person.team is None:
            _add(home, person, passphrases[person.name])
    token = processes.command(home / "hub", "token", "create", "--user", PEOPLE[0].name)
    _import_city(home / "hub")
    _furnish(hub_url, token)
    for person in PEOPLE:
        if person.team is not None:
            _add(home, person, passphrases[person.name])
    return passphrases


def _add(home: Path, person: Person, passphrase: str) -> None:
    """Somebody of a team is added where they log in, once the staff list has come there from the hub."""
    team = () if person.team is None else ("--team", person.team)
    deadline = time.monotonic() + (0 if person.team is None else ARRIVES_S)
    while True:
        try:
            arguments = ("user", "add", person.name, "--role", person.role, *team, "--password-stdin")
            processes.command(home / person.node, *arguments, text=passphrase + "\n")
            return
        except CommandFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _import_city(hub: Path) -> None:
    """The invented city's own files and its staff, by the command of a city; the terminals get them by themselves."""

    def bring(kind: str, name: str, *more: str) -> None:
        processes.command(hub, "import", kind, str(_city() / name), *more, "--json")

    bring(*MAPS[0])  # the boundary first: the others are held against it
    with ThreadPoolExecutor(IMPORTS_AT_ONCE) as pool:
        for done in [pool.submit(bring, *wanted) for wanted in (*MAPS[1:], STAFF)]:
            done.result()


def _city() -> Path:
    import hazard_data

    return Path(str(hazard_data.__file__)).parent


def _furnish(url: str, token: str) -> None:
    """The incident, its channels and the city's shelters, through the HTTP API."""
    api = requests.Session()
    api.trust_env = False
    api.headers["Authorization"] = f"Bearer {token}"

    def ask(method: str, path: str, document: dict[str, Any], **headers: str) -> dict[str, Any]:
        answer = api.request(method, f"{url}/api/v1/{path}", json=document, headers=headers, timeout=20)
        if not answer.ok:
            raise CommandFailed("demo_failed", f"{path} was refused: {answer.text}", "Report this as a fault.")
        return dict(answer.json())

    def post(collection: str, document: dict[str, Any]) -> dict[str, Any]:
        return ask("POST", collection, document)

    incident = post("incidents", INCIDENT)["id"]
    channels = [
        post("channels", {"incident_id": incident, "name": name})["id"] for name in ("本部と現場", "避難所と統括班")
    ]
    post("chat-messages", {"incident_id": incident, "channel_id": channels[0], "text": WELCOME})
    shelters = list(_shelters())
    route = [shelter["location"]["coordinates"] for shelter in shelters[:ROUND_STOPS]]
    teams = api.get(f"{url}/api/v1/teams", timeout=20).json()["items"]
    team = next(one["id"] for one in teams if one["name"] == ROUND_TEAM)  # the staff list has just brought it
    ask("PATCH", f"teams/{team}", {"call_by": ROUND_CALL_SIGN}, **{"If-Match": "*"})
    post("patrols", {"incident_id": incident, "name": "避難所めぐり(西)", "route": route, "team": team})
    for number, shelter in enumerate(shelters):
        record = post("shelters", shelter)["id"]
        status = "preparing" if number % 9 == 8 else "open"
        post("shelter-openings", {"incident_id": incident, "shelter_id": record, "opening_status": status})
        if status == "open":
            for count in _head_counts(number, shelter["capacity"]):
                post("head-counts", {"incident_id": incident, "shelter_id": record, **count})


def _shelters() -> Iterator[dict[str, Any]]:
    for shelter in json.loads((_city() / "shelters.json").read_text("utf-8"))["shelters"]:
        longitude, latitude = shelter["location"]
        yield {
            "id": shelter["id"],
            "name": shelter["name"],
            "common_id": shelter["common_id"],
            "location": {"type": "Point", "coordinates": [longitude, latitude]},
            "capacity": shelter["capacity"],
            "usable_floors": [int(floor.rstrip("F")) for floor in shelter["usable_floors"]],
            "usable_floors_label": shelter["usable_floors_label"],
            "capacity_by_floor": {floor.rstrip("F"): places for floor, places in shelter["capacity_by_floor"].items()},
            "kana": shelter["kana"],
            "address": shelter["address"],
            "facility": shelter["kind"],
            "district": shelter["district"],
        }


def _head_counts(number: int, capacity: int) -> Iterator[dict[str, Any]]:
    """What a shelter has reported so far: most minutes ago, one long ago, one nothing; one has two posts."""
    if number == SILENT:
        return
    minutes = 80 if number == OLD else 2 + number * 7 % 23
    people = capacity * (35 + number * 17 % 60) // 100
    posts = {"正門": people * 2 // 3, "体育館口": people - people * 2 // 3} if number == TWO_POSTS else {None: people}
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    for name, total in posts.items():
        yield {"post": name, "total": total, "counted_at": at.isoformat(timespec="seconds")}


def _wait(running: list[subprocess.Popen[bytes]]) -> None:
    """Until Ctrl-C. A node that ends by itself (or is killed, to see what happens) does not end the others."""
    try:
        while any(process.poll() is None for process in running):
            time.sleep(0.5)
    except KeyboardInterrupt:
        print("\n止めています…  stopping", flush=True)


def _refuse_half_made(home: Path) -> None:
    if any((home / name).exists() for name in NODES):
        raise CommandFailed(
            "demo_half_made", f"an unfinished demo lies in {home}", "Delete the folder, or name another with --dir."
        )


def _passphrase() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))


def _announce(ports: dict[str, int], passphrases: dict[str, str], kept: Path | None) -> None:
    print("\n灯 Tomoshibi — 訓練の葦原市(架空)/ a drill in the invented city of Ashihara\n")
    for name, port in ports.items():
        print(f"  {processes.url(port)}   {NODES[name]}  [{name}]")
        for person in PEOPLE:
            if person.node == name:
                print(f"      {person.name} / {passphrases[person.name]}   {person.what} ({person.role})")
    where = f"data: {kept}" if kept else "the data is deleted at the end (--dir keeps it)"
    print(f"\n  Ctrl-C で終了 / stops all; {where}\n", flush=True)
