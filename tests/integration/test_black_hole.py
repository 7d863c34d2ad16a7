"""A path that swallows everything without closing: the link notices, and is back within 5 s after the path opens."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.integration.cluster import cluster, eventually
from tests.integration.proxy import BlackHoleProxy


@pytest.mark.deep
def test_a_link_through_a_black_hole_of_15_s_resumes_within_5_s(tmp_path: Path) -> None:
    _run(tmp_path, hole_s=15)


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_link_through_a_black_hole_of_90_s_resumes_within_5_s(tmp_path: Path) -> None:
    _run(tmp_path, hole_s=90)


def _run(folder: Path, hole_s: float) -> None:
    with cluster(folder, terminals=1) as city:
        patrol = city.terminals[0]
        proxy = BlackHoleProxy(city.hub.port)
        patrol.stop()
        patrol.extra["TOMOSHIBI_HUB_URL"] = proxy.url
        patrol.start()
        city.report(patrol, "前")
        city.await_equal(within_s=15)

        proxy.swallow()
        closes = time.monotonic() + hole_s
        ids = [city.report(patrol, f"中 {number}")["id"] for number in range(10)]
        message = city.hub.post("chat-messages", {"channel_id": city.channel, "text": "聞こえますか"})
        eventually(lambda: patrol.status()["hub"]["state"] == "down", 15, "the terminal sees that the path is dead")
        while time.monotonic() < closes:
            time.sleep(0.1)  # the length of the hole is what is tested
        assert patrol.status()["unsent"] == 10

        proxy.pass_on()
        opened = time.monotonic()
        city.await_equal(within_s=5)
        took = time.monotonic() - opened
        print(f"resumed {took:.2f} s after the path opened")
        at_hq = [item["id"] for item in city.hub.every("damage-reports")]
        assert len(at_hq) == 11 and set(ids) <= set(at_hq), "nothing lost, nothing double"
        assert patrol.get(f"chat-messages/{message['id']}")["text"] == "聞こえますか"
        proxy.close()
