"""A message to a terminal that is fetching 5 MB over 1 Mbit/s is there within a second."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually
from tests.integration.pictures import fetched, file_report, is_here, photo, upload
from tests.integration.proxy import BlackHoleProxy

LINE_BYTES_S = 125_000  # 1 Mbit/s
PHOTO_BYTES_MIN = 4_900_000
MESSAGES_MIN = 40


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_message_does_not_wait_behind_a_photo(tmp_path: Path) -> None:
    with cluster(tmp_path, terminals=1) as city:
        hub, patrol = city.hub, city.terminals[0]
        proxy = BlackHoleProxy(hub.port, LINE_BYTES_S)
        patrol.stop()
        patrol.extra["TOMOSHIBI_HUB_URL"] = proxy.url
        patrol.start()
        sha256 = upload(hub, photo(1, 2700, 2350))
        size = len(fetched(hub, sha256) or b"")
        assert size >= PHOTO_BYTES_MIN
        file_report(hub, city.incident, "大きな写真", sha256)
        city.await_equal(within_s=20)
        assert not is_here(patrol, sha256), "a terminal fetches an original only when somebody opens it"
        began, delays = time.monotonic(), []
        while not is_here(patrol, sha256):
            delays.append(_delay(city, hub, patrol, len(delays)))
            assert time.monotonic() - began < 200, "the photo does not arrive"
        took = time.monotonic() - began
        assert len(delays) >= MESSAGES_MIN, "the photo was there before messages could be measured"
        p95 = statistics.quantiles(delays, n=20)[-1]
        print(
            f"{len(delays)} messages beside {size / 1e6:.1f} MB at 1 Mbit/s in {took:.0f} s: "
            f"p50 {statistics.median(delays):.2f} s, p95 {p95:.2f} s, worst {max(delays):.2f} s"
        )
        assert p95 <= 1.0
        proxy.close()


def _delay(city: Cluster, hub: NodeProcess, patrol: NodeProcess, number: int) -> float:
    """Seconds from the moment when a message is saved at the hub until the terminal shows it."""
    message = hub.post("chat-messages", {"channel_id": city.channel, "text": f"{number} 至急確認してください"})["id"]
    saved = time.monotonic()
    eventually(lambda: patrol.call("GET", f"chat-messages/{message}").status_code == 200, 30, "the message came")
    took = time.monotonic() - saved
    threading.Event().wait(0.3)  # people pause between two messages; the line is the photo's meanwhile
    return took
