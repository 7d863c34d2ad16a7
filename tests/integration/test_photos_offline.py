"""Ten reports with photos of 1 MB, filed offline, the node killed in between: all arrive once, text before photos."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.integration.cluster import cluster, eventually
from tests.integration.pictures import fetched, file_report, is_here, photo, upload
from tests.integration.proxy import BlackHoleProxy

REPORTS = 10
LINE_BYTES_S = 2_500_000  # 20 Mbit/s


@pytest.mark.deep
def test_ten_reports_with_photos_filed_offline_arrive_once(tmp_path: Path) -> None:
    with cluster(tmp_path, terminals=1) as city:
        hub, patrol = city.hub, city.terminals[0]
        proxy = BlackHoleProxy(hub.port, LINE_BYTES_S)
        proxy.swallow()
        patrol.stop()
        patrol.extra["TOMOSHIBI_HUB_URL"] = proxy.url
        patrol.start()
        kept: dict[str, str] = {}  # sha256 -> report
        for number in range(REPORTS):
            sha256 = upload(patrol, photo(number))
            kept[sha256] = file_report(patrol, city.incident, f"写真 {number}", sha256)["id"]
            if number == REPORTS // 2:
                patrol.kill()
                patrol.start()
        patrol.kill()
        patrol.start()
        assert patrol.status()["blobs"]["unsent"] == REPORTS
        proxy.pass_on()
        began = time.monotonic()

        def all_here() -> bool:
            here = [sha256 for sha256 in kept if is_here(hub, sha256)]
            if here:
                assert len(hub.every("damage-reports")) == REPORTS, "a photo came before the text of all reports"
            return len(here) == REPORTS

        eventually(all_here, 120, "every photo at the hub")
        print(f"{REPORTS} photos were at the hub {time.monotonic() - began:.1f} s after the link was back")
        for sha256 in kept:
            assert hashlib.sha256(fetched(hub, sha256) or b"").hexdigest() == sha256
        assert {item["id"]: item["attachments"] for item in hub.every("damage-reports")} == {
            report: [sha256] for sha256, report in kept.items()
        }
        eventually(lambda: patrol.status()["blobs"]["unsent"] == 0, 10, "the receipts of the photos")
        eventually(lambda: hub.status()["blobs"]["wanted"] == 0, 10, "nothing is wanted any more")
        city.await_equal(within_s=10)
        proxy.close()
