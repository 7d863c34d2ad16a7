"""What opens a key file: slots beside each other, old files, altered files, and a PIN that is guessed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store import device_secret, envelope, key_file, keys, pin
from app.store.errors import (
    BadPin,
    KeyFileDamaged,
    KeyLocked,
    PinDestroyed,
    SlotUnknown,
    WayBackMissing,
    WrongKey,
    WrongPin,
)
from app.store.keys import NodeKeys, read_keys, write_keys
from sync import signing

SEED = bytes(range(32))
PIN = "190417"


@pytest.fixture(autouse=True)
def light_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(envelope, "TIME", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key.json"


@pytest.fixture
def node_keys(path: Path) -> NodeKeys:
    """A key file that a PIN and the city's recovery key open."""
    return made(path)


def made(path: Path) -> NodeKeys:
    node_keys = NodeKeys.generate()
    write_keys(path, node_keys, None)
    keys.keep_recovery(path, node_keys, signing.sealing_public(SEED))
    pin.set_pin(path, node_keys.slot_key, PIN)
    return node_keys


def kinds(path: Path) -> list[str]:
    return [slot["kind"] for slot in keys.slots_of(path)]


def by_pin(path: Path, text: str = PIN) -> NodeKeys:
    return keys.keys_under(path, pin.try_pin(path, text))


def test_a_pin_takes_the_clear_slot_away_and_opens_the_same_keys(path: Path, node_keys: NodeKeys) -> None:
    assert sorted(kinds(path)) == ["pin", "recovery"]
    assert by_pin(path) == node_keys
    written = path.read_text()
    assert not any(secret in written for secret in (*node_keys.as_hex().values(), node_keys.slot_key.hex()))
    with pytest.raises(KeyLocked):
        read_keys(path, None)


def test_the_recovery_key_opens_what_the_pin_closed(path: Path, node_keys: NodeKeys) -> None:
    assert keys.keys_by_recovery(path, SEED) == node_keys
    with pytest.raises(WrongKey, match="not of this node's city"):
        keys.keys_by_recovery(path, bytes(32))


def test_a_pin_needs_another_way_back(path: Path) -> None:
    node_keys = NodeKeys.generate()
    write_keys(path, node_keys, None)
    before = path.read_bytes()
    with pytest.raises(WayBackMissing):
        pin.set_pin(path, node_keys.slot_key, PIN)
    assert path.read_bytes() == before
    assert not (path.parent / device_secret.NAME).exists()


@pytest.mark.parametrize("bad", ["", "19041", "000000", "123456", "98765432", "いろはにほ", "short12", "1" * 257])
def test_a_pin_that_is_guessed_first_is_refused(bad: str) -> None:
    with pytest.raises(BadPin):
        pin.check(bad)


def test_full_width_digits_are_the_same_pin(path: Path, node_keys: NodeKeys) -> None:
    assert by_pin(path, "１９０４１７ ") == node_keys


def test_a_new_pin_replaces_the_old_one(path: Path, node_keys: NodeKeys) -> None:
    pin.set_pin(path, node_keys.slot_key, "tsunami-hinan")
    assert kinds(path).count("pin") == 1
    with pytest.raises(WrongPin):
        by_pin(path)
    assert by_pin(path, "tsunami-hinan") == node_keys


def test_a_passphrase_and_a_pin_stand_beside_each_other(path: Path) -> None:
    node_keys = NodeKeys.generate()
    write_keys(path, node_keys, b"correct horse")
    pin.set_pin(path, node_keys.slot_key, PIN)
    assert by_pin(path) == read_keys(path, b"correct horse") == node_keys
    with pytest.raises(WrongKey):
        read_keys(path, b"wrong horse")


def test_a_node_waits_for_its_pin_also_where_a_passphrase_that_nobody_gave_would_open_it(path: Path) -> None:
    node_keys = NodeKeys.generate()
    write_keys(path, node_keys, b"correct horse")
    assert not keys.is_locked(path)  # a passphrase alone is asked of the setting, as ever
    pin.set_pin(path, node_keys.slot_key, PIN)
    assert keys.is_locked(path)


def test_the_last_way_in_is_never_removed(path: Path, node_keys: NodeKeys) -> None:
    for slot in keys.slots_of(path):
        with pytest.raises(WayBackMissing):
            keys.remove_slot(path, slot["id"])
    with pytest.raises(SlotUnknown):
        keys.remove_slot(path, "none")


def test_with_a_pin_its_device_secret_goes(path: Path) -> None:
    node_keys = NodeKeys.generate()
    write_keys(path, node_keys, b"correct horse")
    slot = pin.set_pin(path, node_keys.slot_key, PIN)
    keys.remove_slot(path, slot.id)
    assert kinds(path) == ["passphrase"]
    assert not (path.parent / device_secret.NAME).exists()


# -- older releases ------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_file_of_the_first_version_opens_and_is_upgraded(path: Path, passphrase: bytes | None) -> None:
    node_keys = NodeKeys.generate()
    path.write_bytes(of_version_1(node_keys, passphrase))
    for _ in range(2):
        assert read_keys(path, passphrase) == node_keys
        assert json.loads(path.read_text())["version"] == 2
    assert kinds(path) == (["file"] if passphrase is None else ["passphrase"])


def test_a_clear_file_of_the_first_version_is_sealed_at_the_first_start_with_a_passphrase(path: Path) -> None:
    node_keys = NodeKeys.generate()
    path.write_bytes(of_version_1(node_keys, None))
    assert read_keys(path, b"correct horse") == node_keys
    assert kinds(path) == ["passphrase"]


def test_a_disk_without_room_does_not_keep_an_old_file_shut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node_keys = NodeKeys.generate()
    path.write_bytes(of_version_1(node_keys, None))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(key_file, "write_durably", full)
    assert read_keys(path, None) == node_keys


def of_version_1(node_keys: NodeKeys, passphrase: bytes | None) -> bytes:
    secrets = node_keys.as_hex()
    if passphrase is None:
        return json.dumps({"version": 1, "protection": "file", "secrets": secrets}).encode()
    sealed = envelope.seal(json.dumps(secrets).encode(), passphrase, "tomoshibi:node-keys:1")
    return json.dumps({"version": 1, "protection": "passphrase", **sealed}).encode()


# -- ten tries -----------------------------------------------------------------------------------


def guessed_wrong(path: Path, times: int) -> None:
    for left in range(9, 9 - times, -1):
        with pytest.raises(WrongPin) as caught:
            by_pin(path, "wrong-pin")
        assert caught.value.tries_left == left == pin.tries_left(path)


def test_the_tenth_wrong_pin_destroys_it_and_recovery_still_opens(path: Path, node_keys: NodeKeys) -> None:
    guessed_wrong(path, 9)
    with pytest.raises(PinDestroyed):
        by_pin(path, "wrong-pin")
    assert kinds(path) == ["recovery"]
    assert not (path.parent / device_secret.NAME).exists()
    with pytest.raises(KeyFileDamaged, match="no PIN"):
        by_pin(path)
    assert keys.keys_by_recovery(path, SEED) == node_keys
    pin.set_pin(path, node_keys.slot_key, "tsunami-hinan")
    assert by_pin(path, "tsunami-hinan") == node_keys


def test_the_right_pin_gives_ten_tries_again(path: Path, node_keys: NodeKeys) -> None:
    guessed_wrong(path, 9)
    assert by_pin(path) == node_keys
    assert pin.tries_left(path) == 10


@pytest.mark.parametrize("name", ["key.json", device_secret.NAME])
def test_an_older_copy_of_one_file_gives_no_new_tries(path: Path, node_keys: NodeKeys, name: str) -> None:
    shutil.copy(path.parent / name, path.parent / "kept")
    guessed_wrong(path, 3)
    shutil.copy(path.parent / "kept", path.parent / name)
    with pytest.raises(KeyFileDamaged, match="older copy"):
        by_pin(path)
    assert keys.keys_by_recovery(path, SEED) == node_keys


def test_a_copy_of_the_device_secret_from_the_try_before_gives_no_try_back(path: Path, node_keys: NodeKeys) -> None:
    beside = path.parent / device_secret.NAME
    guessed_wrong(path, 1)
    kept = beside.read_bytes()
    with pytest.raises(WrongPin):
        by_pin(path, "wrong-pin")
    beside.write_bytes(kept)
    with pytest.raises(KeyFileDamaged, match="older copy"):
        by_pin(path)


def test_a_power_cut_at_any_write_leaves_a_pin_that_opens(path: Path, tmp_path: Path) -> None:
    """Every durable write of a wrong try, of a right one and of a change fails in turn; the next start goes on."""
    for what in ("wrong", "right", "change"):
        for cut in range(6):
            home = tmp_path / f"{what}-{cut}"
            home.mkdir()
            there = home / "key.json"
            node_keys = made(there)
            with pytest.MonkeyPatch.context() as patch:
                cut_off(patch, cut)
                try_all(there, node_keys, what)
            opened = [text for text in (PIN, "tsunami-hinan") if opens(there, text) == node_keys]
            assert len(opened) == 1


def try_all(path: Path, node_keys: NodeKeys, what: str) -> None:
    try:
        if what == "change":
            pin.set_pin(path, node_keys.slot_key, "tsunami-hinan")
        else:
            by_pin(path, PIN if what == "right" else "wrong-pin")
    except (WrongPin, PowerCut):
        pass


class PowerCut(BaseException):
    pass


def cut_off(patch: pytest.MonkeyPatch, after: int) -> None:
    real, made_so_far = key_file.write_durably, 0

    def write(path: Path, data: bytes) -> None:
        nonlocal made_so_far
        if made_so_far == after:
            raise PowerCut
        made_so_far += 1
        real(path, data)

    patch.setattr(key_file, "write_durably", write)
    patch.setattr(device_secret, "write_durably", write)


def opens(path: Path, text: str) -> NodeKeys | None:
    try:
        return by_pin(path, text)
    except WrongPin:
        return None


def test_a_power_cut_between_the_tenth_try_and_its_end_gives_no_eleventh(path: Path, node_keys: NodeKeys) -> None:
    guessed_wrong(path, 9)
    with pytest.MonkeyPatch.context() as patch:
        cut_off(patch, 2)  # the count is on the disk, the slot not yet destroyed
        with pytest.raises(PowerCut):
            by_pin(path, "wrong-pin")
    with pytest.raises(PinDestroyed):
        by_pin(path)
    assert kinds(path) == ["recovery"]


# -- altered files -------------------------------------------------------------------------------


def every_way(path: Path) -> list[Callable[[], NodeKeys]]:
    return [
        lambda: by_pin(path),
        lambda: keys.keys_by_recovery(path, SEED),
        lambda: read_keys(path, b"correct horse"),
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, NodeKeys]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "MEMORY_KIB", 64)
        patch.setattr(envelope, "TIME", 1)
        path = tmp_path_factory.mktemp("whole") / "key.json"
        node_keys = NodeKeys.generate()
        write_keys(path, node_keys, b"correct horse")
        keys.keep_recovery(path, node_keys, signing.sealing_public(SEED))
        pin.set_pin(path, node_keys.slot_key, PIN)
    return path.read_bytes(), (path.parent / device_secret.NAME).read_bytes(), node_keys


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), to=st.binary(min_size=0, max_size=3), of_secret=st.booleans())
def test_an_altered_file_opens_rightly_or_says_damaged(
    path: Path, whole: tuple[bytes, bytes, NodeKeys], at: int, to: bytes, of_secret: bool
) -> None:
    """Never another exception, and "wrong" only where the file is whole."""
    files = [bytearray(whole[0]), bytearray(whole[1])]
    changed = files[of_secret]
    at %= len(changed)
    changed[at : at + 1] = to
    for way in every_way(path):
        path.write_bytes(files[0])
        (path.parent / device_secret.NAME).write_bytes(files[1])
        try:
            assert way() == whole[2]
        except (KeyFileDamaged, KeyLocked):
            pass
        except WrongKey as error:
            raise AssertionError("a damaged file was called a wrong key") from error


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_half_a_file_is_damaged(path: Path, whole: tuple[bytes, bytes, NodeKeys], share: float) -> None:
    path.write_bytes(whole[0][: int(len(whole[0]) * share)])
    (path.parent / device_secret.NAME).write_bytes(whole[1])
    for way in every_way(path):
        with pytest.raises(KeyFileDamaged):
            way()


def test_slots_of_another_node_open_nothing(path: Path, tmp_path: Path, node_keys: NodeKeys) -> None:
    other = tmp_path / "other"
    other.mkdir()
    made(other / "key.json")
    mine, theirs = json.loads(path.read_text()), json.loads((other / "key.json").read_text())
    mine["slots"] = theirs["slots"]
    path.write_text(json.dumps(mine))
    shutil.copy(other / device_secret.NAME, path.parent)
    for way in (lambda: by_pin(path), lambda: keys.keys_by_recovery(path, SEED)):
        with pytest.raises(KeyFileDamaged):
            way()
