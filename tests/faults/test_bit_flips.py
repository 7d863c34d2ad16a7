"""Bits that flip and sectors that are lost in a node's files: found, said in our words, and mended.

What another node holds comes back from it: `test_mend.py` beside the other stories of real processes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import random
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest

from app import doctor, mend
from app.bench import stage
from app.errors import AppError
from app.factory import create_app
from app.node import Node
from app.store import engine
from app.store import pages as store_pages
from app.store.blobs import key_of
from app.store.errors import MendingCutShort
from app.store.folder import DataFolder
from app.store.integrity import page_faults
from app.store.keys import read_keys
from app.store.pages import PAGE_BYTES
from sync.errors import SyncError
from tests.faults.recording import born, opened
from tests.faults.wreck import flip, lose_a_sector, lost_with, pages

FLIPS, FLIPS_DEEP = 40, 2_000
MENDED, MENDED_DEEP = 4, 100
WRAPPED_KEYS = 1  # the key of what HQ seals lies among the files, too
REPORTS = 160


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that nobody else knows, with reports and photos, closed."""
    home = tmp_path_factory.mktemp("flips") / "hub"
    born(home)
    node = opened(home)
    _, scope = stage.open_incident(node)
    for change in stage.reports(scope, REPORTS):
        node.write([change], None)
    for number in range(3):
        node.blobs.put(random.Random(number).randbytes(200_000), "image/jpeg")
    node.close()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "hub")
    return tmp_path / "hub"


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)


def mended(home: Path) -> mend.Mended:
    folder = DataFolder(home)
    return mend.mend(folder, read_keys(folder.keys, None))


def numbers(node: Node) -> list[tuple[str, int, str]]:
    rows = node.reader().execute("SELECT number, created_at, summary FROM damage_reports WHERE hidden = 0").fetchall()
    return sorted(tuple(row) for row in rows)


# -- found and said ----------------------------------------------------------------------------------


def test_a_flip_anywhere_is_found_and_said_in_our_words(home: Path, chance: random.Random) -> None:
    _flip_everywhere(home, chance, FLIPS)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_2000_flips_are_all_found(home: Path, chance: random.Random) -> None:
    _flip_everywhere(home, chance, FLIPS_DEEP)


def _flip_everywhere(home: Path, chance: random.Random, count: int) -> None:
    keys = read_keys(home / "key.json", None)
    files = ((home / "tomoshibi.db", keys.data_key), (home / "blobs.db", key_of(keys.data_key)))
    for number in range(count):
        path, key = files[number % 4 == 3]
        at, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
        flip(path, at, bit)
        assert page_faults(path, key), f"bit {bit} of byte {at} of {path.name}"
        if number % 10 == 0:
            _check_what_is_said(home)
        flip(path, at, bit)
        assert number % 100 or page_faults(path, key) == [], "the flip was undone"
    print(f"{count} flips, all found")


def _check_what_is_said(home: Path) -> None:
    try:
        node = opened(home)
    except (AppError, SyncError) as error:
        assert error.hint
        return
    try:
        found = [one for one in doctor.examine(node) if one.state == "wrong"]
        assert any(one.name in ("store", "attachments") and "--mend" in one.hint for one in found), found
        assert all("\n" not in one.text for one in found)
        assert node.damage.look()
    finally:
        node.close()


def test_a_damaged_page_stops_those_who_need_it_and_nobody_else(home: Path) -> None:
    """The engine refuses nearly everything on a connection that met one: the next request gets a fresh one."""
    node = opened(home)
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'shelters'"
    root = node.reader().execute(sql).fetchone()[0]
    node.close()
    flip(home / "tomoshibi.db", root * PAGE_BYTES - 1_000, 2)
    node = opened(home)
    app, _ = create_app(node)
    (door,) = (rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == "/healthz")
    asked = [""]

    @functools.wraps(app.view_functions[door])
    def ask() -> str:
        return str(node.reader().execute(asked[0]).fetchall())

    app.view_functions[door] = ask
    client = app.test_client()
    for _ in range(2):
        asked[0] = "SELECT * FROM shelters"
        refused = client.get("/healthz")
        assert (refused.status_code, refused.get_json()["code"]) == (503, "store_unavailable")
        assert "doctor" in refused.get_json()["hint"]
        asked[0] = "SELECT count(*) FROM op"
        assert client.get("/healthz").status_code == 200
    assert node.damage.look().startswith("tomoshibi.db") and node.status()["damage"] == node.damage.found
    node.close()


def test_a_whole_node_reports_no_damage_and_is_not_mended(home: Path) -> None:
    node = opened(home)
    assert node.damage.look() == "" and node.status()["damage"] is None
    node.close()
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    assert mended(home).files == []
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


# -- mended ------------------------------------------------------------------------------------------


def test_a_flipped_bit_is_put_right_and_nothing_is_lost(home: Path, template: Path, chance: random.Random) -> None:
    _mend_flips(home, template, chance, MENDED)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_a_hundred_flips_are_put_right(home: Path, template: Path, chance: random.Random) -> None:
    _mend_flips(home, template, chance, MENDED_DEEP)


def _mend_flips(home: Path, template: Path, chance: random.Random, count: int) -> None:
    node = opened(home)
    digest, reports, photos = node.digest(), numbers(node), node.blobs.count()
    node.close()
    for turn in range(count):
        shutil.rmtree(home)
        shutil.copytree(template, home)
        path = home / ("tomoshibi.db", "blobs.db")[turn % 4 == 3]
        at = chance.randrange(16) if turn == 0 else chance.randrange(path.stat().st_size)  # 16: the salt
        flip(path, at, chance.randrange(8))
        damaged = path.read_bytes()
        done = mended(home)
        assert (done.files, done.bits_put_right, done.pages_lost) == ([path.name], at >= 16, 0), f"byte {at}"
        assert (Path(done.aside) / path.name).read_bytes() == damaged, "it is kept as it was"
        again = opened(home)
        assert (again.digest(), numbers(again), again.blobs.count()) == (digest, reports, photos), f"byte {at}"
        assert again.store_faults() == again.blob_faults() == []
        again.close()


def test_a_lost_page_takes_only_what_stood_in_it(home: Path, chance: random.Random) -> None:
    """Nobody else holds these reports: what stands behind the hole is written again, with its time and number."""
    node = opened(home)
    before = numbers(node)
    node.close()
    with contextlib.closing(lost_with(home)) as found:
        page, lost = next((page, lost) for page, lost in found if min(min(seqs) for seqs in lost.values()) > 20)
    lose_a_sector(home / "tomoshibi.db", page, chance)
    done = mended(home)
    assert (done.pages_lost, done.waiting) == (1, 0) and done.written_again > 20
    again = opened(home)
    after = numbers(again)
    assert set(after) <= set(before)
    assert len(before) - len(after) <= sum(map(len, lost.values()))
    _, scope = stage.open_incident(again)
    again.write(list(stage.reports(scope, 1)), None)
    (newest,) = set(numbers(again)) - set(after)
    assert newest[0] > max(number for number, _, _ in before), "no number is given twice"
    assert again.store_faults() == [] and again.status()["awaited"] == 0
    again.close()


@pytest.mark.deep
def test_every_page_may_be_lost(home: Path, template: Path, chance: random.Random) -> None:
    """Also those that say what the tables are: the node is then still itself, and begins anew."""
    for page in [1, *chance.sample(range(2, pages(home / "tomoshibi.db") + 1), 6)]:
        shutil.rmtree(home)
        shutil.copytree(template, home)
        opened(home).close()
        lose_a_sector(home / "tomoshibi.db", page, chance)
        done = mended(home)
        assert done.files == ["tomoshibi.db"] and done.enrolled, f"page {page}"
        again = opened(home)
        assert (again.name, again.role, again.enrolled) == ("本部", "hub", True), f"page {page}"
        stage.open_incident(again)
        assert again.store_faults() == [] and again.digest()["public"] == again.status()["digest"], f"page {page}"
        again.close()


def test_a_lost_page_of_photos_takes_one_photo(home: Path, chance: random.Random) -> None:
    lose_a_sector(home / "blobs.db", pages(home / "blobs.db") // 2, chance)
    done = mended(home)
    assert (done.files, done.attachments, done.attachments_lost) == (["blobs.db"], 2 + WRAPPED_KEYS, 1)
    node = opened(home)
    assert node.blobs.count() == 2 and node.blobs.fault == "" and len(numbers(node)) == REPORTS
    node.close()


def test_mending_that_was_cut_short_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = opened(home)
    digest = node.digest()
    node.close()
    flip(home / "tomoshibi.db", 50_000, 3)

    def cut(*_: object, **__: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(engine, "create_database", cut)
        with pytest.raises(OSError, match="power cut"):
            mended(home)
    with pytest.raises(MendingCutShort) as told:
        DataFolder(home).require_node()
    assert "--mend" in told.value.hint
    assert mended(home).bits_put_right == 1
    again = opened(home)
    assert again.digest() == digest
    again.close()


def test_a_page_that_the_disk_no_longer_gives_is_as_good_as_lost(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = opened(home)
    before = set(numbers(node))
    node.close()
    flip(home / "tomoshibi.db", 50_000, 3)
    read = store_pages._read

    def worn(file: BinaryIO, at: int, length: int) -> bytes:
        if at <= 20 * PAGE_BYTES < at + length:
            raise OSError(errno.EIO, "input/output error")
        return read(file, at, length)

    monkeypatch.setattr(store_pages, "_read", worn)
    done = mended(home)
    assert (done.bits_put_right, done.pages_lost) == (1, 1)
    again = opened(home)
    assert set(numbers(again)) <= before and again.store_faults() == []
    again.close()


def test_a_log_that_rots_after_a_kill_is_told_by_doctor(home: Path, tmp_path: Path) -> None:
    """The engine takes what follows a damaged frame as never written: the node sees that it has gone back."""
    node = opened(home)
    _, scope = stage.open_incident(node)
    for change in stage.reports(scope, 10):
        node.write([change], None)
    shutil.copytree(home, tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm"))
    node.close()
    log = tmp_path / "killed" / "tomoshibi.db-wal"
    flip(log, log.stat().st_size // 2, 1)
    again = opened(tmp_path / "killed")
    found = {one.name: one for one in doctor.examine(again)}
    assert found["history"].state == "warning" and again.missing_of_own() > 0
    assert found["store"].state == found["chain"].state == "ok"
    again.close()
    whole = opened(home)
    assert {one.name: one.state for one in doctor.examine(whole)}["history"] == "ok"
    whole.close()


def test_mending_needs_room_and_changes_nothing_without(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(home / "tomoshibi.db", 50_000, 3)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1024})())
    with pytest.raises(AppError, match="MiB free") as told:
        mended(home)
    assert told.value.hint
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before
