"""The PIN: set, tried and counted, destroyed after ten. The caller holds the folder's lock.

Before: the lock page, or ``unlock``. The count is raised on the disk before a PIN is looked at, so that a power cut
gives no try back.
"""

from __future__ import annotations

import itertools
import time
import unicodedata
from pathlib import Path

from app.store import device_secret, key_file, slots
from app.store.device_secret import Held
from app.store.errors import BadPin, KeyFileDamaged, PinDestroyed, WrongKey, WrongPin
from app.store.key_file import KeyFile
from app.store.slots import Slot

TRIES_MAX = 10
DIGITS_MIN, SIGNS_MIN, SIGNS_MAX = 6, 8, 256


def normal(pin: str) -> str:
    """As it is sealed: full-width digits of a Japanese keyboard are the same PIN."""
    return unicodedata.normalize("NFKC", pin).strip()


def check(pin: str) -> bytes:
    """A PIN that may be set: six digits or more that are no row, or a passphrase. Raises BadPin."""
    text = normal(pin)
    if not (DIGITS_MIN if text.isdigit() else SIGNS_MIN) <= len(text) <= SIGNS_MAX:
        raise BadPin(f"a PIN has {DIGITS_MIN} digits or more; a passphrase {SIGNS_MIN} signs or more")
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    if steps in ({0}, {1}, {-1}):
        raise BadPin("this PIN is the first that anybody tries")
    return text.encode()


def set_pin(path: Path, slot_key: bytes, pin: str) -> Slot:
    """Make the PIN's slot, or replace it; the clear slot goes. Raises BadPin, WayBackMissing, KeyFileDamaged."""
    secret, beside = check(pin), _beside(path)
    file, new = key_file.read(path), Held.new(0)
    file.open(slot_key)  # a key of another file must not make a slot of this one
    slot = slots.of_pin(slot_key, secret, new.secret, 0, time.time_ns() // 1_000_000)
    changed = file.with_slots(slot, without=("pin", "file"))
    changed.require_way_back()
    device_secret.write(beside, [*_held(beside), new])  # the old PIN opens until the key file is replaced
    changed.write(path)
    device_secret.write(beside, [new])
    return slot


def try_pin(path: Path, pin: str) -> bytes:
    """The slot key. Raises WrongPin with the tries left, PinDestroyed, KeyFileDamaged."""
    file = key_file.read(path)
    slot, held, inner = _fitting(path, file)
    if held.tries >= TRIES_MAX:  # a power cut fell between the tenth and its end
        destroy(path, file)
        raise PinDestroyed
    counted = held.tries + 1
    file, slot, now = _turn(path, file, inner, slot, held, counted)
    try:
        slot_key = slots.open_pin(inner, slot, normal(pin).encode()[: SIGNS_MAX * 4])
    except WrongKey as error:
        if counted >= TRIES_MAX:
            destroy(path, file)
            raise PinDestroyed from error
        raise WrongPin(TRIES_MAX - counted) from error
    _turn(path, file, inner, slot, now, 0)
    return slot_key


def tries_left(path: Path) -> int | None:
    """None where no PIN opens this node."""
    try:
        return TRIES_MAX - _fitting(path, key_file.read(path))[1].tries
    except KeyFileDamaged:
        return None


def destroy(path: Path, file: KeyFile) -> None:
    """Take the PIN's slot away, then the device secret."""
    file.with_slots(without="pin").write(path)
    device_secret.destroy(_beside(path))


def _fitting(path: Path, file: KeyFile) -> tuple[Slot, Held, bytes]:
    found = file.of_kind("pin")
    if not found:
        raise KeyFileDamaged("no PIN opens this node", hint=device_secret.WITHOUT)
    for held in device_secret.read(_beside(path)):
        try:
            return found[0], held, slots.uncovered(found[0], held.secret, held.tries)
        except KeyFileDamaged:
            continue
    what = "the device secret and the key file do not belong together: an older copy of one was put back"
    raise KeyFileDamaged(what, hint=device_secret.WITHOUT)


def _turn(path: Path, file: KeyFile, inner: bytes, slot: Slot, old: Held, tries: int) -> tuple[KeyFile, Slot, Held]:
    new = Held.new(tries)
    device_secret.write(_beside(path), [old, new])
    turned = slots.turned(slot, inner, new.secret, tries)
    changed = file.with_slots(turned, without="pin")
    changed.write(path)
    return changed, turned, new


def _held(beside: Path) -> list[Held]:
    try:
        return device_secret.read(beside)[-2:]
    except KeyFileDamaged:
        return []


def _beside(path: Path) -> Path:
    return path.with_name(device_secret.NAME)
