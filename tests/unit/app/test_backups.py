"""A node in one file: made from a real store, examined, altered, and put back."""

from __future__ import annotations

import json
import math
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from app.backups.archive import BadBackup
from app.backups.make import make
from app.backups.restore import restore, verify
from app.config import Settings
from app.errors import CommandFailed
from app.node import Node
from app.records import CITY
from app.records.shelters import NOUN
from app.store.envelope import as_passphrase, new_secret
from app.store.errors import FolderLocked, StoreExists, WrongKey
from app.store.folder import DataFolder
from app.store.keys import read_keys
from tests.photos import photo

SECRET = b"a-secret-for-the-backup"
CANARY = "カナリア中学校"


@pytest.fixture
def kept(hub: Node, tmp_path: Path) -> Path:
    """A backup of a hub with a shelter and a photo."""
    add_shelter(hub, CANARY)
    hub.blobs.put(photo(300, 200), "image/jpeg")
    file = tmp_path / "hub.backup"
    make(hub, file, SECRET)
    return file


def add_shelter(node: Node, name: str) -> None:
    node.write([NOUN.create(uuid7(), CITY, {"name": name})], None)


def opened(folder: DataFolder, passphrase: bytes | None = None) -> Node:
    return Node.open(folder, read_keys(folder.keys, passphrase), Settings(folder.path, ballast_mb=0))


def shelters(node: Node) -> list[str]:
    return [row[0] for row in node.reader().execute("SELECT name FROM shelters ORDER BY name").fetchall()]


def elsewhere(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "elsewhere")


def test_a_restored_node_is_the_same_node_with_all_that_the_backup_held(hub: Node, kept: Path, tmp_path: Path) -> None:
    add_shelter(hub, "あとの小学校")
    told = restore(kept, SECRET, elsewhere(tmp_path), None)
    again = opened(elsewhere(tmp_path))
    try:
        assert again.node_id == hub.node_id == told["node_id"] and again.role == "hub"
        assert shelters(again) == [CANARY]
        assert again.digest()["public"] == again.status()["digest"]
        assert (again.blobs.count(), told["attachments"]) == (1, 1)
    finally:
        again.close()


def test_a_restored_node_begins_new_streams_so_that_no_number_is_given_twice(
    hub: Node, kept: Path, tmp_path: Path
) -> None:
    restore(kept, SECRET, elsewhere(tmp_path), None)
    again = opened(elsewhere(tmp_path))
    try:
        assert again.replica.incarnation != hub.replica.incarnation
        before = set(again.published().vector)
        add_shelter(again, "別の小学校")
        assert not set(again.published().vector) - before & set(hub.published().vector)
        assert len(set(again.published().vector) - before) == 1
    finally:
        again.close()


def test_what_is_there_is_kept_and_replaced_only_where_somebody_says_so(hub: Node, kept: Path, tmp_path: Path) -> None:
    folder = elsewhere(tmp_path)
    restore(kept, SECRET, folder, None)
    with pytest.raises(StoreExists, match="already a node") as refused:
        restore(kept, SECRET, folder, None)
    assert "--replace" in refused.value.hint
    again = opened(folder)
    add_shelter(again, "消してはならない")
    again.close()
    told = restore(kept, SECRET, folder, None, replace=True)
    aside = opened(DataFolder(Path(told["set_aside"])))
    assert shelters(aside) == [CANARY, "消してはならない"]
    aside.close()


def test_a_node_that_runs_is_not_replaced(hub: Node, kept: Path) -> None:
    with hub.folder.lock(), pytest.raises(FolderLocked):
        restore(kept, SECRET, hub.folder, None, replace=True)


def test_the_restored_keys_are_sealed_where_a_passphrase_is_set(kept: Path, tmp_path: Path) -> None:
    restore(kept, SECRET, elsewhere(tmp_path), b"of the server")
    with pytest.raises(WrongKey):
        read_keys(elsewhere(tmp_path).keys, b"another")
    opened(elsewhere(tmp_path), b"of the server").close()


def test_verify_counts_what_is_in_it_and_without_the_secret_compares_the_files(hub: Node, kept: Path) -> None:
    found = verify(kept, SECRET)
    assert found["opened"] and found["digest"] == hub.status()["digest"] and found["attachments"] == 1
    assert verify(kept, None) == {"node_id": hub.node_id, "made_at_ms": found["made_at_ms"], "opened": False}


@pytest.mark.parametrize("secret", [SECRET, None])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
def test_one_altered_bit_is_found(kept: Path, share: float, secret: bytes | None) -> None:
    data = bytearray(kept.read_bytes())
    data[int(len(data) * share)] ^= 1
    kept.write_bytes(data)
    with pytest.raises(BadBackup, match=r"hub\.backup"):
        verify(kept, secret)


def test_who_alters_a_file_and_its_hash_in_clear_is_found_by_the_sealed_hashes(kept: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.backup"
    with zipfile.ZipFile(kept) as source, zipfile.ZipFile(forged, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "manifest.json":
                document: dict[str, Any] = json.loads(data)
                document["files"]["blobs.db"]["sha256"] = document["files"]["tomoshibi.db"]["sha256"]
                data = json.dumps(document).encode()
            target.writestr(member, data)
    with pytest.raises(BadBackup, match="altered"):
        verify(forged, SECRET)


@pytest.mark.parametrize("size", [0, 10, 3_000])
def test_a_file_that_was_cut_off_or_is_something_else_is_refused_in_words(kept: Path, size: int) -> None:
    kept.write_bytes(kept.read_bytes()[:size])
    with pytest.raises(BadBackup, match="is not a backup") as refused:
        verify(kept, SECRET)
    assert refused.value.hint


def test_another_secret_opens_nothing_and_makes_nothing(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongKey):
        restore(kept, b"another", elsewhere(tmp_path), None)
    assert not elsewhere(tmp_path).is_whole()


def test_a_damaged_backup_changes_nothing_of_the_node_that_is_there(hub: Node, kept: Path, tmp_path: Path) -> None:
    folder = elsewhere(tmp_path)
    restore(kept, SECRET, folder, None)
    before = {path.name: path.read_bytes() for path in folder.node_files() if path.exists()}
    data = bytearray(kept.read_bytes())
    data[len(data) // 3] ^= 1
    kept.write_bytes(data)
    with pytest.raises(BadBackup):
        restore(kept, SECRET, folder, None, replace=True)
    assert {path.name: path.read_bytes() for path in folder.node_files() if path.exists()} == before


def test_a_file_that_is_there_is_never_overwritten(hub: Node, kept: Path) -> None:
    before = kept.read_bytes()
    with pytest.raises(CommandFailed, match="is there already"):
        make(hub, kept, SECRET)
    assert kept.read_bytes() == before


def test_nothing_can_be_read_in_a_backup(kept: Path, tmp_path: Path) -> None:
    data = kept.read_bytes()
    for encoding in ("utf-8", "utf-16-le", "shift_jis"):
        assert CANARY.encode(encoding) not in data
    counts = Counter(data)
    bits = -sum(count / len(data) * math.log2(count / len(data)) for count in counts.values())
    assert bits > 7.9
    assert kept.stat().st_mode & 0o77 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_printed_secret_opens_however_it_is_typed() -> None:
    secret = new_secret()
    typed = {as_passphrase(text.encode()) for text in (secret, secret.lower(), secret.replace("-", " "))}
    assert len(typed) == 1
    assert as_passphrase("はなこ-no-passphrase".encode()) == "はなこ-no-passphrase".encode()
