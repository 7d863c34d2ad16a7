"""Devices that wait for a person's yes: each used a code of a page, and shows six digits for people to compare.

Before: ``enrol_door`` has checked the code's proof and the device's signature. After: ``enrol_grant`` once approved.
A code takes one request: whoever holds a stolen code has one try at six digits, and both screens show it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app import enrol_codes, enrol_extras
from app.enrol_codes import CODE_MS
from app.enrol_grant import NEW_CODE, grant
from app.errors import Conflict, Forbidden
from app.store.engine import Connection
from sync import signing
from sync.enrolment import SHARE_BYTES, Transcript, commitment_to

State = Literal["open", "asked", "shown", "approved", "refused", "expired"]


@dataclass(frozen=True, slots=True)
class Request:
    """A device that used the code of a page; ``short_code`` once it has told its share."""

    state: State
    expires_at: int
    name: str = ""
    node_id: str = ""
    short_code: str = ""


def ask(node: Any, code: Any, said: Transcript, now: int) -> bytes:
    """Keep what a device asks for under an open code, and return this side's share of the short code."""
    row = _row(node, code["code_id"])
    node_id = signing.node_id_of(said.public).hex()
    if row is not None:
        _require_same(row, said, node_id)
        _require_open(row, now)
        _write(node, "UPDATE enrol_requests SET transcript = ? WHERE code_id = ?", said.encode(), code["code_id"])
        return bytes(row["share"])
    if now > code["expires_at"]:
        raise Forbidden("code_expired", "this code has expired", NEW_CODE)
    share = secrets.token_bytes(SHARE_BYTES)
    columns = "code_id, node_id, transcript, share, asked_at, expires_at"
    values = (code["code_id"], node_id, said.encode(), share, now, now + CODE_MS)
    _write(node, f"INSERT INTO enrol_requests ({columns}) VALUES (?, ?, ?, ?, ?, ?)", *values)
    return share


def reveal(node: Any, code: Any, public: bytes, revealed: bytes, now: int) -> Transcript:
    """The device tells its share; it must be the one that it was bound to. Returns what it has asked for."""
    row = _row(node, code["code_id"])
    if row is None or row["node_id"] != signing.node_id_of(public).hex():
        raise Conflict("not_asked", "no request of this device waits under this code", "Start the enrolment again.")
    said = Transcript.decode(bytes(row["transcript"]))
    if not hmac.compare_digest(commitment_to(revealed), said.commitment):
        raise Forbidden("bad_reveal", "the device was bound to another value", "Start again with a new code.")
    if not row["approved"]:
        _require_open(row, now)
    if row["revealed"] is None:
        _write(node, "UPDATE enrol_requests SET revealed = ? WHERE code_id = ?", revealed, code["code_id"])
        node.tell_links_changed()  # pages of the hub ask again
    return said


def request_of(node: Any, code_id: str) -> Request:
    """How the enrolment under a code stands, for the page of the hub."""
    code, now = enrol_codes.made(node, code_id), node.clock()
    row = _row(node, code["code_id"])
    if row is None:
        used: State = "approved" if code["used_at"] else "expired" if now > code["expires_at"] else "open"
        return Request(used, code["expires_at"], node_id=code["used_by"] or "")
    said = Transcript.decode(bytes(row["transcript"]))
    shown = said.short_code(bytes(row["revealed"]), bytes(row["share"])) if row["revealed"] else ""
    return Request(_state(row, now), row["expires_at"], said.name, row["node_id"], shown)


def approve(node: Any, rows: Sequence[enrol_extras.Row], code_id: str, short_code: str, author: str) -> str:
    """A person has compared the digits: the device gets its certificate. Returns its node id."""
    found = request_of(node, code_id)
    _require_decidable(found)
    if not hmac.compare_digest(found.short_code.encode(), short_code.encode()):
        raise Conflict("other_digits", "the page showed other digits", "Open the page again and compare.")
    key = bytes.fromhex(code_id)
    row = _row(node, key)
    assert row is not None
    said = Transcript.decode(bytes(row["transcript"]))
    decided = "UPDATE enrol_requests SET approved = 1, decided_at = ?, decided_by = ? WHERE code_id = ?"
    grant(node, rows, key, said, author, also=[(decided, (node.clock(), author, key))])
    return found.node_id


def refuse(node: Any, code_id: str, author: str) -> None:
    """A person has said no: the device gets nothing, and its code opens nothing any more."""
    if request_of(node, code_id).state not in ("asked", "shown"):
        return
    decided = "UPDATE enrol_requests SET approved = 0, decided_at = ?, decided_by = ? WHERE code_id = ?"
    _write(node, decided, node.clock(), author, bytes.fromhex(code_id))


def _state(row: Any, now: int) -> State:
    if row["approved"] is not None:
        return "approved" if row["approved"] else "refused"
    if now > row["expires_at"]:
        return "expired"
    return "shown" if row["revealed"] else "asked"


def _require_same(row: Any, said: Transcript, node_id: str) -> None:
    """A repeated request must be the same: another share would be another try at the digits."""
    if row["node_id"] != node_id:
        raise Conflict("code_used", "another device has used this code", NEW_CODE)
    if Transcript.decode(bytes(row["transcript"])).commitment != said.commitment:
        raise Conflict("code_used", "this device asked under this code before", NEW_CODE)


def _require_open(row: Any, now: int) -> None:
    state = _state(row, now)
    if state == "refused":
        raise Forbidden("refused", "the hub refused this device", "Ask whoever made the code.")
    if state == "expired":
        raise Forbidden("approval_expired", "nobody approved this device in time", NEW_CODE)


def _require_decidable(found: Request) -> None:
    if found.state == "expired":
        raise Conflict("approval_expired", "the time to approve this device is over", "Make a new code.")
    if found.state != "shown":
        raise Conflict("not_shown", "no device waits for a yes with its digits shown", "Look at the page again.")


def _row(node: Any, code_id: bytes) -> Any | None:
    return node.reader().execute("SELECT * FROM enrol_requests WHERE code_id = ?", (bytes(code_id),)).fetchone()


def _write(node: Any, statement: str, *values: Any) -> None:
    def write(connection: Connection) -> None:
        connection.execute(statement, values)

    node.local_write(write)
