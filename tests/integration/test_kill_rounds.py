"""`kill -9` of a hub and its terminals at random moments of writing and syncing: nothing acknowledged is lost.

Three real processes. Mostly one is killed, sometimes two, sometimes all; of all that lie still it is also asked whether
each held a receipt that another can no longer honour, before any of them may mend it by sending again.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from pathlib import Path

import pytest
import requests

from app.queries import log as log_queries
from tests.faults.recording import opened
from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually, new_id, report_document

ROUNDS_DEEP, ROUNDS_SOAK = 100, 1_000


@pytest.mark.deep
@pytest.mark.timeout(1500)
def test_nothing_acknowledged_is_lost_in_a_hundred_kills(tmp_path: Path) -> None:
    _run(tmp_path, ROUNDS_DEEP)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_a_thousand_kills_and_for_hours(tmp_path: Path) -> None:
    ends = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "120"))
    done = 0
    while done < ROUNDS_SOAK or time.monotonic() < ends:
        _run(tmp_path / str(done), ROUNDS_DEEP)
        done += ROUNDS_DEEP
    print(f"{done} kills, 0 lost")


def _run(folder: Path, rounds: int) -> None:
    seed = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    with cluster(folder) as city:
        acknowledged: set[str] = set()
        receipts = 0
        for number in range(rounds):
            victims = chance.sample(city.nodes, 3 if number % 5 == 4 else chance.choice((1, 1, 1, 2)))
            acknowledged |= _round(city, victims, chance.uniform(0.02, 0.4))
            if len(victims) == len(city.nodes):
                receipts += _honoured_receipts(city, folder / "copies")
            for victim in victims:
                victim.start(wait=False)
            for victim in victims:
                eventually(victim.answers, 30, f"{victim.name} answers; {victim.log()}")
        city.await_equal(within_s=30)
        for node in city.nodes:
            held = [item["id"] for item in node.every("damage-reports")]
            assert len(held) == len(set(held)), f"{node.name} shows a report twice (seed {seed})"
            assert acknowledged <= set(held), f"{node.name} lost what it acknowledged (seed {seed})"
            assert node.status()["forks"] == node.status()["awaited"] == 0, f"{node.name} (seed {seed})"
        assert {node.json("digest")["public"] for node in city.nodes} == city.digests()
        assert len(acknowledged) >= rounds and receipts, "the rounds wrote something, and some of it arrived"
        print(f"{rounds} rounds, {len(acknowledged)} acknowledged, {receipts} receipts honoured, 0 lost")


def _honoured_receipts(city: Cluster, folder: Path) -> int:
    """All nodes are dead: what each was told to be durable elsewhere is there. Returns the receipts looked at."""
    shutil.rmtree(folder, ignore_errors=True)
    nodes = {}
    for node in city.nodes:
        shutil.copytree(node.home, folder / node.name, ignore=shutil.ignore_patterns("control.sock", "ballast"))
        nodes[node.name] = opened(folder / node.name)
    looked_at = 0
    for name, node in nodes.items():
        for other, peer in nodes.items():
            for stream, seq in log_queries.receipts_of(node.reader(), peer.replica.identity.node_id).items():
                assert peer.replica.vector.get(stream, 0) >= seq, f"{other} no longer holds what it receipted to {name}"
                looked_at += 1
    for node in nodes.values():
        node.close()
    return looked_at


def _round(city: Cluster, victims: list[NodeProcess], delay_s: float) -> set[str]:
    """Write on all nodes at once, kill some in the middle; the ids that were acknowledged."""
    acknowledged: set[str] = set()
    stop = threading.Event()

    def write(node: NodeProcess) -> None:
        while not stop.is_set():
            record = new_id()
            try:
                answer = node.call("POST", "damage-reports", report_document(city.incident, "k", record), timeout=5)
            except requests.RequestException:
                return  # it was the victim
            if answer.status_code == 201:
                acknowledged.add(record)

    threads = [threading.Thread(target=write, args=(node,)) for node in city.nodes]
    for thread in threads:
        thread.start()
    eventually(lambda: len(acknowledged) >= 3, 20, "the writers write")
    time.sleep(delay_s)  # the moment of the kill is the test's variable, drawn from its seed
    for victim in victims:
        victim.kill()
    stop.set()
    for thread in threads:
        thread.join()
    return acknowledged
