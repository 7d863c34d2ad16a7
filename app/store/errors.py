"""What can be wrong with a node's disk, keys and data folder. Each says what to do."""

from __future__ import annotations

from app.errors import AppError


class StoreError(AppError):
    """Base of the store's errors: the class gives the code and the usual hint."""

    code = "store"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(type(self).code, message, type(self).hint if hint is None else hint)


class EngineTooOld(StoreError):
    code = "engine_too_old"
    hint = "Install sqlcipher3 0.6.4 or newer; remove sqlcipher3-wheels and sqlcipher3-binary."


class WrongKey(StoreError):
    code = "wrong_key"
    hint = "Check that key.json is of this data folder and TOMOSHIBI_PASSPHRASE_FILE names the right file."


class KeyLocked(StoreError):
    code = "key_locked"
    hint = "Set TOMOSHIBI_PASSPHRASE_FILE to the file that holds this node's passphrase."


class WrongPin(WrongKey):
    code = "wrong_pin"

    def __init__(self, tries_left: int) -> None:
        super().__init__("the PIN does not open this node", hint=f"Tries left: {tries_left}.")
        self.tries_left = tries_left


class PinDestroyed(WrongKey):
    code = "pin_destroyed"
    hint = "Nothing is lost: `tomoshibi unlock` opens this node with the city's recovery file, and sets a new PIN."

    def __init__(self) -> None:
        super().__init__("the PIN was wrong ten times, and was destroyed")


class KeyFileDamaged(StoreError):
    code = "key_file_damaged"
    hint = "Put back key.json from a copy of this data folder; without it the store cannot be read."


class StoreCorrupt(StoreError):
    code = "store_corrupt"
    hint = "Run `tomoshibi doctor --mend`: the file is set aside, and made anew with all that can be read of it."


class StoreMissing(StoreError):
    code = "store_missing"
    hint = "Make a node with `tomoshibi init`, or name its data folder with --home."


class MendingCutShort(StoreError):
    code = "mending_cut_short"
    hint = "Run `tomoshibi doctor --mend` again: it goes on where it was."


class StoreExists(StoreError):
    code = "store_exists"
    hint = "Choose another data folder with --home; nothing was changed."


class FolderLocked(StoreError):
    code = "folder_locked"
    hint = "Another process works on this data folder. Wait for it, or stop it."


class NewerStore(StoreError):
    code = "newer_store"
    hint = "This data folder was written by a newer release. Install that release; nothing was changed."


class BadPin(StoreError):
    code = "bad_pin"
    hint = "Choose another; nothing was changed."


class WayBackMissing(StoreError):
    code = "way_back_missing"
    hint = "Enrol the terminal first; run `tomoshibi pki init` on an older hub; or start with a passphrase file."


class SlotUnknown(StoreError):
    code = "slot_unknown"
    hint = "`tomoshibi slots` lists them."
