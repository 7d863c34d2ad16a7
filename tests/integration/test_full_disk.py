"""A full disk, on a tmpfs of its own: one clear error, nothing acknowledged is lost, it goes on when there is room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import NodeProcess, add_person, cluster, eventually, http, report_document
from tests.integration.pictures import fetched, file_report, photo, upload

SIZE_MB, BALLAST_MB = 24, 2
STAFF_FINISH = 300  # reports of 2 kB that the ballast gives room for, at least


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs could be mounted: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.deep
def test_a_full_disk_refuses_clearly_and_loses_nothing(small_disk: Path) -> None:
    hub = NodeProcess("hub", small_disk / "hub", extra={"TOMOSHIBI_BALLAST_MB": str(BALLAST_MB)})
    hub.command("init", "--role", "hub", "--name", "本部", "--json")
    hub.start()
    try:
        add_person(hub, "統括", "commander")
        incident = hub.post("incidents", {"name": "訓練", "mode": "drill", "kind": "flood"})["id"]
        filler = small_disk / "filler"
        _fill(filler, keep_free=1_500_000)
        acknowledged, refusal = _post_until_refused(hub, incident)
        assert refusal["code"] == "store_full" and refusal["hint"]
        held = [item["id"] for item in hub.every("damage-reports")]
        assert sorted(held) == sorted(acknowledged), "what was acknowledged is there, what was refused is not"

        filler.unlink()
        again = hub.post("damage-reports", report_document(incident, "空きができた"))
        hub.kill()
        hub.start()
        held = [item["id"] for item in hub.every("damage-reports")]
        assert sorted(held) == sorted([*acknowledged, again["id"]])
        told = hub.command("doctor", "--json", check=False)  # it still warns of the small disk
        checks = {line["name"]: line["state"] for line in json.loads(told.stdout)["findings"]}
        assert {checks[name] for name in ("store", "chain", "digest")} == {"ok"}, checks
    finally:
        hub.stop()


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_staff_finish_and_sync_on_a_disk_that_is_full(small_disk: Path, tmp_path: Path) -> None:
    """The ballast lets them write on; then all they have written still reaches the hub, and photos wait for room."""
    (small_disk / "terminal-a").mkdir()
    (tmp_path / "terminal-a").symlink_to(small_disk / "terminal-a")
    with cluster(tmp_path, terminals=1) as city:
        hub, terminal = city.hub, city.terminals[0]
        before = upload(terminal, photo(1))
        file_report(terminal, city.incident, "写真", before)
        city.await_equal(within_s=20)
        hub.stop()
        ballast = terminal.home / "ballast"
        assert ballast.stat().st_size == 8 * 1024**2
        _fill(small_disk / "filler", keep_free=300_000)
        acknowledged, refusal = _post_until_refused(terminal, city.incident)
        assert refusal["code"] == "store_full" and refusal["hint"] and not ballast.exists()
        assert len(acknowledged) > STAFF_FINISH

        kept, refused = _photos_until_refused(terminal)
        assert refused["code"] == "store_full" and refused["hint"]
        assert all(fetched(terminal, sha256) for sha256 in kept)
        assert fetched(terminal, before), "photos that are here are shown"
        hub.start()
        eventually(lambda: set(acknowledged) <= _held(hub), 60, "what staff wrote is at the hub, from a full disk")

        (small_disk / "filler").unlink()
        after = upload(terminal, photo(99))
        last = file_report(terminal, city.incident, "空きができた", after)["id"]
        city.await_equal(within_s=60)
        assert _held(hub) == _held(terminal) >= {*acknowledged, last}
        eventually(lambda: fetched(hub, after) == fetched(terminal, after), 30, "the photo at the hub")
        told = terminal.command("doctor", "--json", check=False)
        checks = {line["name"]: line["state"] for line in json.loads(told.stdout)["findings"]}
        assert {checks[name] for name in ("store", "attachments", "chain", "digest")} == {"ok"}, checks


def _held(node: NodeProcess) -> set[str]:
    return {item["id"] for item in node.every("damage-reports")}


def _photos_until_refused(node: NodeProcess) -> tuple[list[str], dict[str, str]]:
    """What room the file of attachments still has in itself is used."""
    kept: list[str] = []
    for number in range(2, 40):
        answer = http().post(
            f"{node.url}/api/v1/attachments",
            files={"file": ("photo.jpg", photo(number), "image/jpeg")},
            headers={"Authorization": f"Bearer {node.token}"},
            timeout=60,
        )
        if answer.status_code != 201:
            assert 400 <= answer.status_code < 500, answer.text
            return kept, answer.json()
        kept.append(answer.json()["sha256"])
    raise AssertionError("the disk never filled up")


def _fill(path: Path, keep_free: int) -> None:
    stats = os.statvfs(path.parent)
    path.write_bytes(bytes(max(stats.f_bavail * stats.f_frsize - keep_free, 0)))


def _post_until_refused(hub: NodeProcess, incident: str) -> tuple[list[str], dict[str, str]]:
    acknowledged: list[str] = []
    for number in range(20_000):
        document = report_document(incident, f"報告 {number}") | {"description": "水" * 1_900}
        answer = hub.call("POST", "damage-reports", document)
        assert answer.status_code < 500, answer.text
        if answer.status_code != 201:
            return acknowledged, answer.json()
        acknowledged.append(document["id"])
    raise AssertionError("the disk never filled up")
