"""A stranger's file becomes blobs and facts: looked at, made anew in a child process, kept; or refused, nothing kept.

Before: a page or the API has the bytes. After: ``naming`` lets a record name the file by its SHA-256.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app import child
from app.errors import CommandFailed, Invalid, StoreUnavailable, TooLarge, UnsupportedMedia
from app.intake import naming, sniff
from sync import seal

FILE_BYTES_MAX = 12 << 20
CHILDREN_MAX, WAITING_MAX = 2, 12
SEALED_TYPE = "application/x-tomoshibi-sealed"
UNNAMED_MS_MAX = 3 * 24 * 3600 * 1000
MEMORY_MB, CPU_SECONDS, WALL_SECONDS = 1024, 20, 60


@dataclass(frozen=True, slots=True)
class Taken:
    """``facts`` have the fields of the kind ``attachments``; ``fresh``: the file was not known here before."""

    facts: dict[str, Any]
    fresh: bool

    @property
    def sha256(self) -> str:
        return str(self.facts["sha256"])


class Intake:
    """The one door of a node. At most two children at once: a tablet has two cores, and other work."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._children = threading.BoundedSemaphore(CHILDREN_MAX)
        self._inside = 0

    def take(self, data: bytes) -> Taken:
        """Keep the file. Raises Invalid, TooLarge, UnsupportedMedia; StoreUnavailable when too many wait."""
        if len(data) > FILE_BYTES_MAX:
            raise too_large()
        kind = sniff.kind_of(data)
        with self._place():
            made = _made(kind, data)
        facts = self._keep(made)
        return Taken(facts, self._note(facts))

    def take_sealed(self, data: bytes) -> tuple[dict[str, Any], bytes, str]:
        """Keep a photo sealed: what is known of the file as it lies here, its key, and what it is when opened.

        Made anew like any photo; nothing of it is kept in clear. Raises as ``take``.
        """
        if len(data) > FILE_BYTES_MAX:
            raise too_large()
        kind = sniff.kind_of(data)
        if kind not in sniff.PICTURES:
            raise UnsupportedMedia("not_a_photo", "Only photos are sealed.", "Send a JPEG, PNG or WebP.", "file")
        with self._place():
            made = _made(kind, data)
        key = self._node.replica.random(32)
        sealed = seal.seal_file(made["original"], key)
        name = self._node.blobs.put(sealed, SEALED_TYPE)
        return {"sha256": name, "size": len(sealed), "media_type": SEALED_TYPE}, key, str(made["media_type"])

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._inside >= CHILDREN_MAX + WAITING_MAX:
            hint = "Send it again in a minute; the file was not kept."
            raise StoreUnavailable("intake_busy", "Too many files are being taken in at once.", hint)
        self._inside += 1
        try:
            with self._children:
                yield
        finally:
            self._inside -= 1

    def _keep(self, made: dict[str, Any]) -> dict[str, Any]:
        blobs = self._node.blobs
        facts = {name: value for name, value in made.items() if not isinstance(value, bytes)}
        facts["sha256"], facts["size"] = blobs.put(made["original"], made["media_type"]), len(made["original"])
        for name in ("view", "thumb"):
            if name in made:
                facts[name], facts[f"{name}_size"] = blobs.put(made[name], "image/jpeg"), len(made[name])
        return facts

    def sweep(self) -> int:
        """Files that were taken off a form and never sent are let go after three days. Returns their number."""
        db, blobs, old = self._node.reader(), self._node.blobs, self._node.clock() - UNNAMED_MS_MAX
        swept = naming.unnamed(db, old)
        for facts in swept:
            for name in ("sha256", "view", "thumb"):
                if facts.get(name) and blobs.has(facts[name]):
                    blobs.delete(facts[name])
        self._node.local_write(lambda connection: naming.forget(connection, old))
        return len(swept)

    def _note(self, facts: dict[str, Any]) -> bool:
        """Keep the description until a record names the file. False where it was known."""
        if naming.facts_of(self._node.reader(), facts["sha256"]) is not None:
            return False
        row = (facts["sha256"], json.dumps(facts), self._node.clock())
        sql = "INSERT OR IGNORE INTO attachment_facts (sha256, facts, made_at) VALUES (?, ?, ?)"
        return bool(self._node.local_write(lambda connection: connection.execute(sql, row).rowcount))


def too_large() -> TooLarge:
    megabytes = FILE_BYTES_MAX >> 20
    return TooLarge("file_too_large", f"The file is larger than {megabytes} MB.", "Send a smaller photo.", "file")


def _made(kind: str, data: bytes) -> dict[str, Any]:
    module = "app.intake.picture" if kind in sniff.PICTURES else "app.intake.voice"
    asked = {"kind": kind, "data": data}
    try:
        made: dict[str, Any] = child.run(module, asked, memory_mb=MEMORY_MB, cpu_s=CPU_SECONDS, wall_s=WALL_SECONDS)
    except child.ChildRefused as error:
        refusal = UnsupportedMedia if error.code.endswith("_refused") else Invalid
        raise refusal(error.code, error.message, error.hint, "file") from error
    except CommandFailed as error:
        raise Invalid("file_not_read", "The file could not be read within the limits.", error.hint, "file") from error
    except OSError as error:
        hint = "Close other programs on this machine and send the file again."
        raise StoreUnavailable("intake_failed", "This machine could not start the reader of files.", hint) from error
    return made
