"""A damaged node in a city of real processes: refused clearly, mended by one command, the rest from the other nodes."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.wreck import flip, lose_a_sector, lost_with, pages
from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually, report_document
from tests.integration.pictures import fetched, file_report, is_here, photo, upload

SYNCED, UNSENT = 120, 25


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, terminals=1) as built:
        yield built


def write(city: Cluster, node: NodeProcess, count: int) -> set[str]:
    return {node.post("damage-reports", report_document(city.incident, f"報告 {n}"))["id"] for n in range(count)}


def held(node: NodeProcess) -> set[str]:
    return {item["id"] for item in node.every("damage-reports")}


def found(node: NodeProcess) -> dict[str, Any]:
    told = node.command("doctor", "--json", check=False)
    assert told.returncode == 1 and not told.stderr, told.stderr
    return {one["name"]: one for one in json.loads(told.stdout)["findings"]}


def mend(node: NodeProcess) -> dict[str, Any]:
    done: dict[str, Any] = node.json("doctor", "--mend")
    return done


def refused_to_serve(node: NodeProcess) -> str:
    told = node.command("serve", "--port", "0", check=False)
    assert told.returncode == 1 and "Traceback" not in told.stderr
    return told.stderr


@pytest.mark.deep
def test_a_terminal_with_unsent_reports_is_mended_from_the_hub(city: Cluster) -> None:
    """A sector is lost among what the hub holds: what stands behind it waits, and goes in when the hub has sent it."""
    hub, terminal = city.hub, city.terminals[0]
    wanted = write(city, terminal, SYNCED)
    city.await_equal(within_s=20)
    hub.stop()
    wanted |= write(city, terminal, UNSENT)
    picture = upload(terminal, photo(1))
    file_report(terminal, city.incident, "写真", picture)
    wanted = held(terminal)
    terminal.stop()
    with contextlib.closing(lost_with(terminal.home)) as pages_lost:  # each is tried on a copy: no more than are needed
        page = next(page for page, lost in pages_lost if 20 < max(map(max, lost.values())) < SYNCED - 20)
    lose_a_sector(terminal.home / "tomoshibi.db", page, random.Random(page))

    findings = found(terminal)
    assert findings["store"]["state"] == "wrong" and "--mend" in findings["store"]["hint"]
    done = mend(terminal)
    assert (done["files"], done["pages_lost"], done["written_again"]) == (["tomoshibi.db"], 1, 0)
    assert done["waiting"] > UNSENT and done["enrolled"] and Path(done["aside"]).is_dir()

    terminal.start()
    hub.start()
    city.await_equal(within_s=30)
    for node in city.nodes:
        assert held(node) == wanted, node.name
        assert node.status()["forks"] == node.status()["awaited"] == 0
    assert fetched(terminal, picture), "a photo that lay beside the damaged file is untouched"
    again = write(city, terminal, 3)
    city.await_equal(within_s=20)
    numbers = [item["number"] for item in hub.every("damage-reports")]
    assert again < held(hub) and len(numbers) == len(set(numbers)), "no number is given twice"


@pytest.mark.deep
def test_a_hub_that_lost_its_first_page_comes_back_from_its_terminals(city: Cluster) -> None:
    """Nothing can be read without it, not even the hub's own name: it is sealed beside the store."""
    hub, terminal = city.hub, city.terminals[0]
    wanted = write(city, hub, 40) | write(city, terminal, 40)
    city.await_equal(within_s=20)
    token = hub.token
    hub.stop()
    lose_a_sector(hub.home / "tomoshibi.db", 1, random.Random(1))
    told = refused_to_serve(hub)
    assert "although its key is right" in told and "doctor --mend" in told
    assert found(hub)["node"]["hint"] in told
    done = mend(hub)
    assert (done["files"], done["operations"], done["enrolled"]) == (["tomoshibi.db"], 0, True)
    hub.start()
    hub.command("user", "add", "当直", "--role", "commander", "--password-stdin", text="another-long-passphrase\n")
    hub.token = hub.command("token", "create", "--user", "当直").stdout.strip()
    assert hub.token != token, "who logs in here is known to no other node"
    city.await_equal(within_s=30)
    assert held(hub) == held(terminal) == wanted


@pytest.mark.deep
def test_a_flipped_bit_in_each_file_is_told_and_put_right(city: Cluster) -> None:
    hub, terminal = city.hub, city.terminals[0]
    write(city, terminal, 20)
    picture = upload(terminal, photo(2))
    file_report(terminal, city.incident, "写真", picture)
    city.await_equal(within_s=20)
    eventually(lambda: is_here(hub, picture), 20, "the photo at the hub")
    terminal.stop()
    for name in ("tomoshibi.db", "blobs.db"):
        path = terminal.home / name
        flip(path, (pages(path) - 2) * 4096 + 1000, 5)
    findings = found(terminal)
    told = [
        findings.get("store") or findings["node"],
        *([findings["attachments"]] if "attachments" in findings else []),
    ]
    assert all(one["state"] == "wrong" and "--mend" in one["hint"] for one in told), findings
    done = mend(terminal)
    assert (done["files"], done["bits_put_right"], done["pages_lost"]) == (["tomoshibi.db", "blobs.db"], 2, 0)
    assert (done["waiting"], done["written_again"], done["attachments_lost"]) == (0, 0, 0)
    terminal.start()
    city.await_equal(within_s=20)
    assert fetched(terminal, picture) == fetched(hub, picture)
    beside = terminal.command("doctor", "--mend", check=False)
    assert beside.returncode == 1 and "in use by process" in beside.stderr, "a node that runs is not mended"
    assert terminal.command("status").returncode == 0
