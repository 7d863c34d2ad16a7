"""A full disk, on a tmpfs of its own: one clear error, nothing acknowledged is lost, it goes on when there is room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import NodeProcess, add_person, report_document

SIZE_MB, BALLAST_MB = 24, 2


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
