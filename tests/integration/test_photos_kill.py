"""`kill -9` of either side in the middle of a photo: every photo is whole at the hub in the end, byte for byte."""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from tests.integration.cluster import cluster, eventually
from tests.integration.pictures import fetched, file_report, is_here, photo, upload
from tests.integration.proxy import BlackHoleProxy

LINE_BYTES_S = 1_250_000  # 10 Mbit/s: a photo is under way for more than a second


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [3, 12])
def test_photos_outlive_kills_in_the_middle_of_their_transfer(tmp_path: Path, rounds: int) -> None:
    seed = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    with cluster(tmp_path, terminals=1) as city:
        hub, patrol = city.hub, city.terminals[0]
        proxy = BlackHoleProxy(hub.port, LINE_BYTES_S)
        patrol.stop()
        patrol.extra["TOMOSHIBI_HUB_URL"] = proxy.url
        patrol.start()
        sent, cut = [], 0
        for number in range(rounds):
            sent.append(upload(patrol, photo(number)))
            file_report(patrol, city.incident, f"写真 {number}", sent[-1])
            time.sleep(chance.uniform(0.05, 0.8))  # the moment of the kill is the test's variable, drawn from its seed
            cut += not is_here(hub, sent[-1])
            victim = chance.choice((hub, patrol))
            victim.kill()
            victim.start()
        eventually(lambda: all(is_here(hub, sha256) for sha256 in sent), 90, f"every photo at the hub (seed {seed})")
        for sha256 in sent:
            assert hashlib.sha256(fetched(hub, sha256) or b"").hexdigest() == sha256
        eventually(lambda: patrol.status()["blobs"]["unsent"] == 0, 10, "the receipts of the photos")
        assert cut >= rounds // 3, f"too few kills were in the middle of a transfer: {cut} (seed {seed})"
        print(f"{rounds} kills, {cut} in the middle of a photo, {len(sent)} photos whole and equal")
        city.await_equal(within_s=15)
        proxy.close()
