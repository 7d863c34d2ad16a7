"""The device secret: 32 random bytes in a file of their own, without which the PIN opens nothing; and its tries.

Each try turns to a new secret before the PIN is looked at, and the PIN's slot with it: an older copy of this file, or
of the key file, then fits the other no more and gives no new tries. Both secrets are named while the key file is being
turned, so that a power cut in between leaves one that fits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.store.durable import sync_folder, write_durably
from app.store.errors import KeyFileDamaged

NAME = "device.secret"
BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Held:
    secret: bytes = field(repr=False)
    tries: int  # how many wrong PINs it has seen

    @staticmethod
    def new(tries: int) -> Held:
        return Held(os.urandom(32), tries)


def read(path: Path) -> list[Held]:
    """The secret, or the old and the new one. Raises KeyFileDamaged."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(BYTES_MAX))
        held = [Held(bytes.fromhex(one["secret"]), int(one["tries"])) for one in document["held"]]
    except (OSError, KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise KeyFileDamaged(f"{path.name} cannot be read", hint=WITHOUT) from error
    if not held or any(len(one.secret) != 32 for one in held):
        raise KeyFileDamaged(f"{path.name} holds no device secret", hint=WITHOUT)
    return held


def write(path: Path, held: Sequence[Held]) -> None:
    document = {"version": 1, "held": [{"secret": one.secret.hex(), "tries": one.tries} for one in held]}
    write_durably(path, json.dumps(document).encode() + b"\n")


def destroy(path: Path) -> None:
    """Overwrite and remove it. What a flash disk keeps of it elsewhere no program reaches."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(bytes(max(path.stat().st_size, 1)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)


WITHOUT = "Without it the PIN opens nothing: use `tomoshibi unlock` with the city's recovery file."
