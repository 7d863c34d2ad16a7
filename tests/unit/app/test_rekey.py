"""A new data key, and the end of a node: whatever step is cut off, the old or the new stands whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from app.cli import run
from app.node import Node
from app.records import incidents
from app.records.noun import CITY
from app.store import engine, swap
from app.store.blobs import key_of
from app.store.errors import WrongKey
from app.store.folder import DataFolder
from app.store.keys import NodeKeys, read_keys, slots_of, write_keys
from app.store.pin import set_pin
from app.store.rekey import rekey
from app.store.wipe import wipe
from tests.unit.app.conftest import OpenNode
from tests.unit.app.tls_nodes import let_in

STEPS = ("mkdir", "open", "replace", "unlink", "rmdir", "fsync")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return filled(tmp_path / "node")


def filled(home: Path) -> DataFolder:
    """A data folder with two small databases, the log's with a WAL that was never folded."""
    folder = DataFolder(home)
    folder.make()
    keys = NodeKeys.generate()
    write_keys(folder.keys, keys, None)
    for path, key in stores(folder, keys):
        engine.create_database(path, key, ["CREATE TABLE t (text)", f"INSERT INTO t VALUES ('{path.name}')"])
    return folder


def copied(template: DataFolder, home: Path) -> DataFolder:
    shutil.copytree(template.path, home)
    return DataFolder(home)


def stores(folder: DataFolder, keys: NodeKeys) -> list[tuple[Path, bytes]]:
    return [(folder.database, keys.data_key), (folder.blobs, key_of(keys.data_key))]


def texts(folder: DataFolder) -> list[str]:
    """What both hold, under the keys of the key file."""
    found = []
    for path, key in stores(folder, read_keys(folder.keys, None)):
        connection = engine.open_connection(path, key)
        found += [row[0] for row in connection.execute("SELECT text FROM t")]
        assert engine.pragma(connection, "journal_mode") == "wal"
        assert engine.pragma(connection, "integrity_check") == "ok"
        connection.close()
    return found


WHOLE = ["tomoshibi.db", "blobs.db"]


def test_a_rekeyed_store_opens_under_the_new_key_alone(folder: DataFolder) -> None:
    old = read_keys(folder.keys, None)
    with folder.lock():
        new = rekey(folder, old)
    assert read_keys(folder.keys, None) == new
    assert (new.signing_seed, new.sealing_seed) == (old.signing_seed, old.sealing_seed)
    assert new.data_key != old.data_key
    assert texts(folder) == WHOLE
    assert not (folder.path / swap.FOLDER).exists()
    for path, key in stores(folder, old):
        with pytest.raises(WrongKey):
            engine.open_connection(path, key)


def test_what_only_the_log_of_a_store_holds_is_rekeyed_too(folder: DataFolder) -> None:
    keys = read_keys(folder.keys, None)
    writer = engine.open_connection(folder.database, keys.data_key)
    writer.execute("INSERT INTO t VALUES ('late')")
    with folder.lock():
        rekey(folder, keys)
    writer.close()
    assert texts(folder) == ["tomoshibi.db", "late", "blobs.db"]


class Cut(BaseException):
    pass


def cut_off(patch: pytest.MonkeyPatch, after: int) -> Callable[[], int]:
    """Let the process end at the ``after``-th thing it asks of the disk; how many there were."""
    asked = 0

    def counting(name: str) -> Any:
        real = getattr(os, name)

        def ask(*arguments: Any, **named: Any) -> Any:
            nonlocal asked
            if asked >= after:  # and nothing works from here on, no cleaning up either
                raise Cut
            asked += 1
            return real(*arguments, **named)

        return ask

    for name in STEPS:
        patch.setattr(os, name, counting(name))
    return lambda: asked


@pytest.mark.deep
def test_a_rekey_cut_off_at_any_step_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    outcomes, template = set(), filled(tmp_path / "template")
    for after in range(200):
        folder = copied(template, tmp_path / str(after))
        old = read_keys(folder.keys, None)
        lock = folder.lock()
        with pytest.MonkeyPatch.context() as patch:
            cut_off(patch, after)
            try:
                rekey(folder, old)
                ended = True
            except Cut:
                ended = False
        lock.release()
        folder.lock().release()  # the next command
        assert texts(folder) == WHOLE
        assert not (folder.path / swap.FOLDER).exists()
        outcomes.add(read_keys(folder.keys, None) == old)
        if ended:
            break
    else:
        raise AssertionError("it never came to its end")
    assert outcomes == {True, False}
    assert after > 10


@pytest.mark.deep
def test_the_next_command_may_be_cut_off_as_well(tmp_path: Path) -> None:
    template = filled(tmp_path / "template")
    with template.lock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap, "settle", lambda home: None)
        new = rekey(template, read_keys(template.keys, None))
    for after in range(60):
        folder = copied(template, tmp_path / str(after))
        with pytest.MonkeyPatch.context() as patch:
            cut_off(patch, after)
            try:
                swap.settle(folder.path)
                ended = True
            except Cut:
                ended = False
        folder.lock().release()
        assert texts(folder) == WHOLE
        assert read_keys(folder.keys, None) == new
        if ended:
            return
    raise AssertionError("it never came to its end")


def test_a_node_is_the_same_after_a_rekey(hub: Node, capsys: pytest.CaptureFixture[str]) -> None:
    digest, home, settings = hub.digest(), str(hub.home), hub.settings
    assert hub.certificate is not None
    hub.close()
    assert run(["--home", home, "rekey"]) == 0
    again = Node.open(hub.folder, read_keys(hub.folder.keys, None), settings)
    try:
        assert again.digest() == digest
        assert again.node_id == hub.node_id and not again.store_faults() and not again.blob_faults()
    finally:
        again.close()
    assert [slot["kind"] for slot in slots_of(hub.folder.keys)] == ["file", "recovery"]


@pytest.mark.parametrize("command", [["rekey"], ["wipe", "--yes", "--even-unsent"]])
def test_nothing_is_done_while_a_process_has_the_folder(
    folder: DataFolder, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with folder.lock():
        before = {path.name for path in folder.path.iterdir()}
        assert run(["--home", str(folder.path), *command]) == 1
        assert "in use by process" in capsys.readouterr().err
        assert {path.name for path in folder.path.iterdir()} == before
    assert texts(folder) == WHOLE


# -- the end of a node -----------------------------------------------------------------------------


def test_a_wiped_node_leaves_nothing_but_the_citys_file(folder: DataFolder) -> None:
    (folder.recovery).write_text("{}")
    (folder.path / "damaged-1").mkdir()
    (folder.path / "damaged-1" / "tomoshibi.db").write_bytes(b"old")
    with folder.lock():
        wipe(folder)
    assert {path.name for path in folder.path.iterdir()} == {"lock", folder.recovery.name}


def test_a_node_with_unsent_work_is_wiped_only_where_that_was_said(
    hub: Node, open_node: OpenNode, capsys: pytest.CaptureFixture[str]
) -> None:
    tablet = let_in(hub, open_node("terminal"))
    tablet.write([incidents.create(uuid7(), CITY, {"name": "訓練", "mode": "drill", "kind": "flood"})], None)
    tablet.close()
    assert run(["--home", str(tablet.home), "wipe", "--yes"]) == 1
    assert "1 operations" in capsys.readouterr().err and tablet.folder.is_whole()
    assert run(["--home", str(tablet.home), "wipe", "--yes", "--even-unsent"]) == 0
    assert not tablet.folder.holds_node()


def test_a_hub_is_wiped_only_where_that_was_said(hub: Node, capsys: pytest.CaptureFixture[str]) -> None:
    hub.close()
    assert run(["--home", str(hub.home), "wipe", "--yes"]) == 1
    assert "this is a hub" in capsys.readouterr().err and hub.folder.is_whole()
    assert run(["--home", str(hub.home), "wipe", "--yes", "--even-unsent"]) == 0
    assert not hub.folder.holds_node() and hub.folder.recovery.exists()


def test_the_keys_are_overwritten_on_the_disk_and_not_only_unlinked(folder: DataFolder, tmp_path: Path) -> None:
    kept = tmp_path / "key"  # a second name for the same blocks, as a thief's tool finds them
    kept.hardlink_to(folder.keys)
    with folder.lock():
        wipe(folder)
    assert set(kept.read_bytes()) == {0}


def test_a_locked_node_is_wiped_only_where_that_was_said(hub: Node, capsys: pytest.CaptureFixture[str]) -> None:
    set_pin(hub.folder.keys, hub.keys.slot_key, "190417")
    hub.close()
    assert run(["--home", str(hub.home), "wipe", "--yes"]) == 1
    assert "locked with a PIN" in capsys.readouterr().err and hub.folder.is_whole()


def test_a_wipe_cut_off_at_any_step_destroys_the_keys_before_the_first_file(tmp_path: Path) -> None:
    template = filled(tmp_path / "template")
    for after in range(60):
        folder = copied(template, tmp_path / str(after))
        with folder.lock(), pytest.MonkeyPatch.context() as patch:
            cut_off(patch, after)
            try:
                wipe(folder)
                ended = True
            except Cut:
                ended = False
        if not folder.database.exists() or not folder.blobs.exists():
            assert not folder.keys.exists()
        with folder.lock():
            wipe(folder)
        assert {path.name for path in folder.path.iterdir()} == {"lock"}
        if ended:
            return
    raise AssertionError("it never came to its end")
