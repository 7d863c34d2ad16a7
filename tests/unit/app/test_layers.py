"""Layers in use on a node: what is drawn and asked while files of a newer import are still on their way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app import doctor
from app.errors import CommandFailed
from app.layers import Layers
from app.node import Node
from app.queries import layers as queries
from app.queries.row import Record
from app.records import CITY
from app.records import layers as records
from maps.layers import PARTS_TYPE, TILES_TYPE, Prepared, PreparedFile

KEY = "flood_depth:max:-"


@dataclass
class State:
    here: bool
    have: int


@dataclass
class Files:
    """What is here of the files: the part of ``node.blobs`` that layers ask, without a disk."""

    fault = "no disk behind these"  # what doctor says of the file of attachments, which this double has not

    held: dict[str, bytes] = field(default_factory=dict)
    partly: dict[str, int] = field(default_factory=dict)

    def put_file(self, path: Path, media_type: str) -> str:
        data = path.read_bytes()
        self.held[hashlib.sha256(data).hexdigest()] = data
        return hashlib.sha256(data).hexdigest()

    def has(self, sha256: str) -> bool:
        return sha256 in self.held

    def state(self, sha256: str) -> State:
        return State(sha256 in self.held, self.partly.get(sha256, 0))


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def layers(hub: Node, files: Files, monkeypatch: pytest.MonkeyPatch) -> Layers:
    monkeypatch.setattr(hub, "blobs", files, raising=False)
    return hub.layers


def prepared(folder: Path, text: str, **fields: Any) -> Prepared:
    """A layer of two small files."""
    made = []
    for role, media_type in (("parts", PARTS_TYPE), ("tiles", TILES_TYPE)):
        data = f"{role} {text}".encode()
        path = folder / f"{role}-{text}"
        path.write_bytes(data)
        made.append(PreparedFile(role, path, media_type, hashlib.sha256(data).hexdigest(), len(data)))
    told = {"key": KEY, "layer_kind": "flood_depth", "title": f"洪水 {text}", "imported_at": 1_000, "scenario": "max"}
    return Prepared({**told, **fields}, tuple(made))


def announce(node: Node, coming: Prepared) -> None:
    """The catalogue says it; the files are elsewhere."""
    named = [
        {"role": file.role, "sha256": file.sha256, "size": file.size, "media_type": file.media_type}
        for file in coming.files
    ]
    node.write([records.imported({**coming.fields, "files": named})], None)
    node.layers.refresh()


def operations(node: Node) -> int:
    return int(node.reader().execute("SELECT count(*) FROM op").fetchone()[0])


def test_a_node_without_a_catalogue_has_no_layer(layers: Layers) -> None:
    assert (layers.in_use(), layers.missing()) == ([], [])


def test_a_published_layer_is_in_use_at_once(layers: Layers, files: Files, tmp_path: Path) -> None:
    made = prepared(tmp_path, "2023", data_date="2023", rivers=["荒川"])
    record_id = layers.publish(made, None)
    (found,) = layers.in_use()
    assert (found.id, found.key, found.kind, found.data_date) == (record_id, KEY, "flood_depth", "2023")
    assert found.files == {file.role: (file.sha256, file.size) for file in made.files}
    assert found.complete and layers.missing() == []
    assert set(files.held) == {file.sha256 for file in made.files}


def test_the_same_layer_again_writes_nothing(hub: Node, layers: Layers, tmp_path: Path) -> None:
    layers.publish(prepared(tmp_path, "2023"), None)
    before = operations(hub)
    layers.publish(prepared(tmp_path, "2023", imported_at=9_000), None)
    assert operations(hub) == before


def test_a_file_that_changed_since_it_was_prepared_is_refused(hub: Node, layers: Layers, tmp_path: Path) -> None:
    made = prepared(tmp_path, "2023")
    made.files[0].path.write_bytes(b"something else")
    with pytest.raises(CommandFailed, match="changed while it was read"):
        layers.publish(made, None)
    assert layers.in_use() == [] and layers.missing() == []


def test_the_old_layer_stays_until_every_file_of_the_new_one_is_here(
    hub: Node, layers: Layers, files: Files, tmp_path: Path
) -> None:
    layers.publish(prepared(tmp_path, "2017"), None)
    version = layers.version
    new = prepared(tmp_path, "2023")
    announce(hub, new)
    (found,), (missing,) = layers.in_use(), layers.missing()
    assert (found.title, found.complete) == ("洪水 2017", False)
    assert (missing.title, missing.files_here, missing.files, missing.have) == ("洪水 2023", 0, 2, 0)

    files.put_file(new.files[0].path, PARTS_TYPE)
    files.partly[new.files[1].sha256] = 3
    layers.refresh()
    (found,), (missing,) = layers.in_use(), layers.missing()
    assert found.title == "洪水 2017"
    assert (missing.files_here, missing.have, missing.size) == (
        1,
        new.files[0].size + 3,
        sum(f.size for f in new.files),
    )

    files.put_file(new.files[1].path, TILES_TYPE)
    layers.refresh()
    (found,) = layers.in_use()
    assert (found.title, found.complete, layers.missing()) == ("洪水 2023", True, [])
    assert layers.version != version


def test_the_old_layer_is_known_again_after_a_restart(hub: Node, layers: Layers, files: Files, tmp_path: Path) -> None:
    layers.publish(prepared(tmp_path, "2017"), None)
    announce(hub, prepared(tmp_path, "2023"))
    after = Layers(hub)
    assert [layer.title for layer in after.in_use()] == ["洪水 2017"]
    assert after.version == layers.version


def test_a_layer_is_in_use_as_soon_as_its_last_file_is_told(
    hub: Node, layers: Layers, files: Files, tmp_path: Path
) -> None:
    coming = prepared(tmp_path, "2023")
    announce(hub, coming)
    for file in coming.files:
        files.put_file(file.path, file.media_type)
        assert layers.in_use() == []  # nobody was told yet
    hub.tell_changed([("blobs", CITY, coming.files[1].sha256)])
    assert [layer.title for layer in layers.in_use()] == ["洪水 2023"]


@pytest.mark.parametrize(
    "named",
    [
        None,
        [],
        "parts",
        [7],
        [{"role": "parts", "sha256": "../../etc", "size": 1, "media_type": "x"}],
        [{"role": "parts", "sha256": "a" * 64, "size": -1, "media_type": "x"}],
        [{"role": "parts", "sha256": "a" * 64, "size": 1, "media_type": "x"}] * 2,
        [{"role": f"r{number}", "sha256": "a" * 64, "size": 1, "media_type": "x"} for number in range(9)],
    ],
)
def test_an_entry_with_a_bad_list_of_files_is_left_out_and_told(db_row: Any, named: Any) -> None:
    entries, faults = db_row(files=named)
    assert entries == []
    assert [(fault.key, fault.problem[:5]) for fault in faults] == [(KEY, "files")]


def test_an_entry_of_a_newer_release_is_read_as_far_as_it_is_known(db_row: Any) -> None:
    file = {"role": "terrain", "sha256": "a" * 64, "size": 5, "media_type": "x/y", "chunks": 7}
    entries, faults = db_row(files=[file], layer_kind="lava", bbox=[1, 2], zooms="all", rivers={"a": 1})
    assert faults == []
    assert (entries[0].layer_kind, entries[0].bbox, entries[0].zooms, entries[0].rivers) == ("lava", None, None, ())
    assert [(found.role, found.size) for found in entries[0].files] == [("terrain", 5)]


@pytest.fixture
def db_row() -> Any:
    """The catalogue read with one entry in it, whose fields are given as another node might have written them."""

    def read(**fields: Any) -> Any:
        told = dict.fromkeys(records.KIND.fields) | {"key": KEY, "layer_kind": "flood_depth", **fields}
        record = Record("layers", str(records.record_of(KEY)), "63", None, 1, 1, None, "00", 0, 0, told)
        return queries.read([record])

    return read


def test_doctor_names_the_layer_that_cannot_be_read_and_those_on_their_way(
    hub: Node, layers: Layers, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "read", lambda sha256: files.held[sha256], raising=False)
    assert _found(hub) == ("ok", "0 in use")
    announce(hub, prepared(tmp_path, "2023"))
    assert _found(hub) == ("ok", "0 in use; still on their way: 洪水 2023 0%")
    layers.publish(prepared(tmp_path, "2023"), None)  # its bytes came whole, and are no layer
    state, text = _found(hub)
    assert state == "warning" and "洪水 2023: its parts cannot be read" in text
    assert layers.hazard_at(139.6, 35.8)["flood"] is None


def _found(hub: Node) -> tuple[str, str]:
    found = next(one for one in doctor.examine(hub) if one.name == "layers")
    return found.state, found.text
