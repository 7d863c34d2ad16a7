"""`import` beside a running node: what it brings is there at once, and one that is stopped leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import hazard_data
from tests.integration.cluster import NodeProcess, environment, eventually

CITY = Path(hazard_data.__file__).parent


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[NodeProcess]:
    node = NodeProcess("hub", tmp_path / "hub")
    node.command("init", "--role", "hub", "--name", "本部", "--json")
    node.start()
    node.command("user", "add", "統括", "--role", "commander", "--password-stdin", text="a-long-enough-passphrase\n")
    node.token = node.command("token", "create", "--user", "統括").stdout.strip()
    yield node
    node.stop()


def depth(node: NodeProcess) -> object:
    return node.get("hazard?lat=31.518&lon=136.03")["flood"]


def test_a_layer_answers_at_once_and_a_new_one_takes_its_place(hub: NodeProcess, tmp_path: Path) -> None:
    assert depth(hub) is None
    hub.json("import", "hazard", str(CITY / "flood_depth.geojson"))
    before = depth(hub)
    assert isinstance(before, dict) and before["rank"] in (1, 2, 3, 4)
    document = json.loads((CITY / "flood_depth.geojson").read_text("utf-8"))
    for feature in document["features"]:
        feature["properties"] |= {"rank": 6, "min_m": 20, "max_m": None}
    newer = tmp_path / "newer.geojson"
    newer.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    assert hub.json("import", "hazard", str(newer))["accepted"] == 47
    after = depth(hub)
    assert isinstance(after, dict) and (after["rank"], after["max_m"]) == (6, None)


def test_shelters_come_once_and_stay_what_a_person_made_of_them(hub: NodeProcess) -> None:
    first = hub.json("import", "shelters", str(CITY / "shelters.json"))
    assert (first["created"], first["skipped"], first["faults"]) == (28, 0, [])
    digest = hub.json("digest")["public"]
    second = hub.json("import", "shelters", str(CITY / "shelters.json"))
    assert (second["created"], second["changed"], second["unchanged"]) == (0, 0, 28)
    assert hub.json("digest")["public"] == digest
    shelter = hub.every("shelters")[0]
    changed = hub.call("PATCH", f"shelters/{shelter['id']}", {"capacity": 7}, If_Match="*")
    assert changed.status_code == 200, changed.text
    third = hub.json("import", "shelters", str(CITY / "shelters.json"))
    assert [fault["field"] for fault in third["faults"]] == ["capacity"]
    assert hub.get(f"shelters/{shelter['id']}")["capacity"] == 7


@pytest.mark.deep
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_stopped_changes_nothing_and_leaves_no_file(
    hub: NodeProcess, tmp_path: Path, number: signal.Signals
) -> None:
    hub.json("import", "hazard", str(CITY / "flood_depth.geojson"))
    before, digest = depth(hub), hub.json("digest")["public"]
    large, scratch = tmp_path / "large.geojson", tmp_path / "scratch"
    scratch.mkdir()
    _draw(large)
    process = subprocess.Popen(
        hub.program("import", "hazard", str(large)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment() | {"TMPDIR": str(scratch)}, text=True,
    )  # fmt: skip
    folder = eventually(lambda: next(iter(scratch.glob("tomoshibi-import-*")), None), 20, "the child has begun")
    assert folder.stat().st_mode & 0o77 == 0
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1 and said.strip() == "tomoshibi: stopped."
    assert list(scratch.iterdir()) == []
    assert (depth(hub), hub.json("digest")["public"]) == (before, digest)


def _draw(path: Path) -> None:
    """A layer that takes some seconds."""
    feature = (CITY / "flood_depth.geojson").read_text("utf-8").splitlines()[1].rstrip(",")
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [' + ",".join([feature] * 15_000) + "]}")


def test_the_embedded_basemap_is_taken_and_a_raster_of_elsewhere_is_not(hub: NodeProcess) -> None:
    hub.json("import", "boundary", str(CITY / "boundary.geojson"))
    report = hub.json("import", "basemap", str(CITY / "basemap.pmtiles"), "--title", "背景地図")
    assert [file["role"] for file in report["layers"][0]["files"]] == ["tiles"] and report["faults"] == []
    toda = {"type": "Polygon", "coordinates": [[[139.6, 35.8], [139.7, 35.8], [139.7, 35.9], [139.6, 35.8]]]}
    feature = {"type": "Feature", "properties": {"A31b_201": 3}, "geometry": toda}
    path = Path(tempfile.mkdtemp(dir=hub.home.parent)) / "elsewhere.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    refused = hub.command("import", "hazard", str(path), check=False)
    assert refused.returncode == 1 and "lies in this city" in refused.stderr and "--force" in refused.stderr
    assert hub.json("import", "hazard", str(path), "--force")["accepted"] == 1
