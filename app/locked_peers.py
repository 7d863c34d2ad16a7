"""Who of the hub's terminals said that it was started again and waits to be unlocked: 再起動後・未解錠.

Before: ``views/enrol`` has a beat (``beacon``). After: the sync page, the devices and `status` show it, until the
terminal connects or falls silent. The door is open to strangers, so it tells nothing back, and a beat moves nothing
but this: it must be signed with the key that the terminal gave at its enrolment, and newer than the one before.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

from app.beacon import PUBLIC_BYTES, VERSION, fact, message
from app.enrol_door import hex_of
from app.errors import BadRequest
from app.store import meta
from sync import signing
from sync.errors import BadSignature
from sync.limits import INT64_MAX

SILENT_MS = 100_000  # three beats that did not come
NODE_BYTES = 16
_NOBODY = b"\x01" + bytes(PUBLIC_BYTES - 1)  # verified against for an unknown name, so that it takes as long


@dataclass(frozen=True, slots=True)
class _Heard:
    start: int
    number: int
    since_ms: int
    at_ms: int


class LockedPeers:
    """One for a node. Bounded by the devices that it enrolled."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._one_at_a_time = threading.Lock()
        self._heard: dict[str, _Heard] = {}
        self._shown: set[str] = set()

    def hear(self, document: dict[str, Any]) -> None:
        """Take a beat, or drop it without a word. Raises BadRequest, Invalid for what is none."""
        if document.get("version") != VERSION:
            raise BadRequest("bad_request", "this is no beacon of this release", "Use the same release on both.")
        node, signature = hex_of(document, "node", NODE_BYTES), hex_of(document, "signature", 64)
        start, number = _count(document, "start"), _count(document, "number")
        kept = meta.read(self._node.reader(), fact(node.hex()))
        try:
            signing.verify(kept[:PUBLIC_BYTES] if kept else _NOBODY, signature, message(node, start, number))
        except BadSignature:
            return
        if kept is None or self._node.replica.is_revoked(node):
            return
        with self._one_at_a_time:
            newer = self._take(node.hex(), start, number, int.from_bytes(kept[PUBLIC_BYTES:], "big"))
        if newer:
            self._node.local_write(
                lambda db: meta.write(db, fact(node.hex()), kept[:PUBLIC_BYTES] + start.to_bytes(8, "big"))
            )
        self.watch()

    def since(self, peer: dict[str, Any]) -> int | None:
        """Since when a peer waits to be unlocked; None: it does not, or was not heard for a while."""
        heard = self._heard.get(peer["node_id"])
        if heard is None or peer["state"] == "connected" or heard.at_ms <= (peer["last_contact_at"] or 0):
            return None
        return heard.since_ms if self._node.wall() - heard.at_ms <= SILENT_MS else None

    def watch(self) -> None:
        """Tell the pages where somebody came or fell silent."""
        now = self._node.wall()
        shown = {name for name, heard in self._heard.items() if now - heard.at_ms <= SILENT_MS}
        if shown != self._shown:
            self._shown = shown
            self._node.tell_links_changed()

    def _take(self, name: str, start: int, number: int, newest_start: int) -> bool:
        """Note a beat that is newer than all before; True where its start is, too."""
        before, now = self._heard.get(name), self._node.wall()
        if start < newest_start or (before is not None and (start, number) <= (before.start, before.number)):
            return False
        goes_on = before is not None and before.start == start and now - before.at_ms <= SILENT_MS
        if before is not None and goes_on:
            self._heard[name] = replace(before, number=number, at_ms=now)
        else:
            self._heard[name] = _Heard(start, number, now, now)
        return start > newest_start


def _count(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or not 0 <= value <= INT64_MAX:
        raise BadRequest("bad_request", f"{name} is no count", "Use the same release on both.")
    return value
