"""The data folder: one process at a time, and a note of what this node last wrote."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.store.ballast import Ballast
from app.store.durable import write_durably
from app.store.errors import FolderLocked, StoreMissing
from app.store.folder import DataFolder, Incarnation

HOLD = "import sys; from pathlib import Path; from app.store.folder import DataFolder; \
held = DataFolder(Path(sys.argv[1])).lock(); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "node")
    folder.make()
    return folder


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes of this kind")
def test_the_folder_is_for_its_owner_only(folder: DataFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_second_process_is_told_who_works_here_and_kill_9_frees_the_folder(folder: DataFolder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(FolderLocked, match=f"process {holder.pid}$"):
        folder.lock()
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    holder.stdin.close()
    holder.stdout.close()
    folder.lock().release()


def test_a_released_lock_can_be_taken_again(folder: DataFolder) -> None:
    with folder.lock(), pytest.raises(FolderLocked):
        folder.lock()
    folder.lock().release()


def test_a_full_disk_does_not_keep_a_folder_shut(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    with folder.lock(), pytest.raises(FolderLocked):
        folder.lock()
    folder.lock().release()


def test_a_folder_without_a_node_is_told(folder: DataFolder) -> None:
    assert not folder.holds_node()
    with pytest.raises(StoreMissing):
        folder.require_node()


def test_the_incarnation_comes_back_as_it_was_written(folder: DataFolder) -> None:
    assert folder.read_incarnation() is None
    written = Incarnation(b"\x07" * 8, {b"stream-one": 12, b"stream-two": 1})
    folder.note_incarnation(written)
    assert folder.read_incarnation() == written


@pytest.mark.parametrize("text", ["", "[]", '{"incarnation": "zz", "last": {}}', '{"incarnation": "00"}'])
def test_a_damaged_incarnation_fits_no_store(folder: DataFolder, text: str) -> None:
    folder.incarnation.write_text(text)
    assert folder.read_incarnation() == Incarnation(b"", {})


def test_a_small_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note"
    write_durably(path, b"old")

    def fail(*_: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="power cut"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_ballast_holds_room_and_gives_it_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", size_mb=1)
    assert not ballast.held()
    assert ballast.take() and ballast.held()
    assert ballast.path.stat().st_blocks * 512 >= 1024 * 1024
    assert ballast.release() and not ballast.held()
    assert not ballast.release()
