"""`kill -9` of any of three processes at a random moment during writes: nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually, new_id, report_document

ROUNDS = 10
DEEP_ROUNDS = 100


def test_nothing_acknowledged_is_lost_in_ten_kills(tmp_path: Path) -> None:
    _run(tmp_path, ROUNDS)


@pytest.mark.deep
@pytest.mark.timeout(1500)
def test_nothing_acknowledged_is_lost_in_a_hundred_kills(tmp_path: Path) -> None:
    _run(tmp_path, DEEP_ROUNDS)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_for_hours(tmp_path: Path) -> None:
    ends = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "120"))
    turn = 0
    while time.monotonic() < ends:
        turn += 1
        _run(tmp_path / str(turn), DEEP_ROUNDS)


def _run(folder: Path, rounds: int) -> None:
    seed = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    with cluster(folder) as city:
        acknowledged: set[str] = set()
        for _ in range(rounds):
            victim = chance.choice(city.nodes)
            acknowledged |= _round(city, victim, chance.uniform(0.02, 0.4))
            victim.start()
        city.await_equal(within_s=30)
        for node in city.nodes:
            held = [item["id"] for item in node.every("damage-reports")]
            assert len(held) == len(set(held)), f"{node.name} shows a report twice (seed {seed})"
            assert acknowledged <= set(held), f"{node.name} lost what it acknowledged (seed {seed})"
        assert {node.json("digest")["public"] for node in city.nodes} == city.digests()
        assert len(acknowledged) >= rounds, "the rounds wrote something"
        print(f"{rounds} kills, {len(acknowledged)} acknowledged, 0 lost")


def _round(city: Cluster, victim: NodeProcess, delay_s: float) -> set[str]:
    """Write on all nodes at once, kill one in the middle; the ids that were acknowledged."""
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
    victim.kill()
    stop.set()
    for thread in threads:
        thread.join()
    return acknowledged
