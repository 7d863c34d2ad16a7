"""The key file: clear for its owner only, or sealed under a passphrase; never half written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.store import envelope
from app.store.errors import KeyFileDamaged, KeyLocked, StoreExists, StoreMissing, WrongKey
from app.store.keys import NodeKeys, is_sealed, read_keys, read_passphrase, write_keys


@pytest.fixture(autouse=True)
def light_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(envelope, "TIME", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key.json"


def test_keys_come_back_as_they_were_written(path: Path) -> None:
    keys = NodeKeys.generate()
    write_keys(path, keys, None)
    assert read_keys(path, None) == keys


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes of this kind")
def test_only_the_owner_may_read_the_key_file(path: Path) -> None:
    write_keys(path, NodeKeys.generate(), None)
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_clear_key_is_on_the_disk_under_a_passphrase(path: Path) -> None:
    keys = NodeKeys.generate()
    write_keys(path, keys, b"correct horse")
    text = path.read_text()
    assert is_sealed(path)
    for secret in (keys.data_key, keys.signing_seed, keys.sealing_seed):
        assert secret.hex() not in text
    assert read_keys(path, b"correct horse") == keys


def test_a_wrong_passphrase_is_told_with_a_hint(path: Path) -> None:
    write_keys(path, NodeKeys.generate(), b"correct horse")
    with pytest.raises(WrongKey) as caught:
        read_keys(path, b"wrong horse")
    assert "TOMOSHIBI_PASSPHRASE_FILE" in caught.value.hint


def test_a_sealed_key_without_a_passphrase_is_locked(path: Path) -> None:
    write_keys(path, NodeKeys.generate(), b"correct horse")
    with pytest.raises(KeyLocked):
        read_keys(path, None)


def test_a_clear_key_is_sealed_at_the_first_start_with_a_passphrase(path: Path) -> None:
    keys = NodeKeys.generate()
    write_keys(path, keys, None)
    assert read_keys(path, b"correct horse") == keys
    assert is_sealed(path)
    assert keys.data_key.hex() not in path.read_text()


def test_a_key_file_is_never_replaced(path: Path) -> None:
    write_keys(path, NodeKeys.generate(), None)
    before = path.read_bytes()
    with pytest.raises(StoreExists):
        write_keys(path, NodeKeys.generate(), None)
    assert path.read_bytes() == before


def test_keys_are_never_printed() -> None:
    keys = NodeKeys.generate()
    assert repr(keys) == "NodeKeys()"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 9}', '{"version": 1}', '{"version": 1, "secrets": {"data_key": "00"}}'],
)
def test_a_damaged_key_file_is_told(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(KeyFileDamaged):
        read_keys(path, None)


def test_a_missing_key_file_is_told(path: Path) -> None:
    with pytest.raises(StoreMissing):
        read_keys(path, None)


@pytest.mark.parametrize("change", [{"memory_kib": 2**31}, {"time": 10**6}, {"lanes": 0}, {"salt": "zz"}])
def test_an_exchanged_key_file_cannot_spend_this_machine(path: Path, change: dict[str, object]) -> None:
    write_keys(path, NodeKeys.generate(), b"correct horse")
    document = json.loads(path.read_text())
    document["slots"][0]["kdf"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileDamaged):
        read_keys(path, b"correct horse")


def test_an_envelope_of_one_use_does_not_open_as_another() -> None:
    sealed = envelope.seal(b"secret", b"words", "one")
    with pytest.raises(WrongKey):
        envelope.unseal(sealed, b"words", "two")


@pytest.mark.parametrize("data", [b"", b"\nsecond line", b"x" * 5000])
def test_a_passphrase_file_without_a_passphrase_is_told(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(data)
    with pytest.raises(KeyLocked):
        read_passphrase(file)


def test_the_line_end_is_no_part_of_the_passphrase(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes("灯火 番小屋\r\n".encode())
    assert read_passphrase(file) == "灯火 番小屋".encode()
