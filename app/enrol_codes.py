"""One-time codes of the enrolment door: made by an issuer, for one device and fifteen minutes.

Before: ``enrol-code`` and the page of devices. After: ``enrol_door`` finds the code that a device's proof fits.
A code of the command line is itself the approval; with one of a page, a person says yes to the device.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.errors import Forbidden, NotFound, RateLimited
from app.store.engine import Connection
from sync import signing
from sync.enrolment import FINGERPRINT_BYTES, SECRET_BYTES, Code

CODE_MS = 15 * 60_000
CODES_KEPT_MS, CODES_MAX = 24 * 3_600_000, 64


@dataclass(frozen=True, slots=True)
class MadeCode:
    code: str
    expires_at: int
    id: str


def make_code(node: Any, *, author: str | None = None, approval: bool = False) -> MadeCode:
    """A code for one device and fifteen minutes; ``approval``: a person then decides about the device that used it.

    Raises Forbidden where this node may not enrol devices, RateLimited where too many codes are open.
    """
    require_issuer(node)
    now, secret = node.clock(), secrets.token_bytes(SECRET_BYTES)
    code_id = hashlib.sha256(secret).digest()[:8]

    def keep(connection: Connection) -> None:
        connection.execute("DELETE FROM enrol_requests WHERE asked_at < ?", (now - CODES_KEPT_MS,))
        connection.execute("DELETE FROM enrol_codes WHERE expires_at < ?", (now - CODES_KEPT_MS,))
        live = connection.execute("SELECT count(*) FROM enrol_codes WHERE used_at IS NULL AND expires_at > ?", (now,))
        if live.fetchone()[0] >= CODES_MAX:
            raise RateLimited("too_many_codes", "too many codes are open", "Wait until some have expired.")
        columns = "code_id, secret, made_at, expires_at, approval, made_by"
        values = (code_id, secret, now, now + CODE_MS, int(approval), author)
        connection.execute(f"INSERT INTO enrol_codes ({columns}) VALUES (?, ?, ?, ?, ?, ?)", values)

    node.local_write(keep)
    return MadeCode(_text(node, secret), now + CODE_MS, code_id.hex())


def made(node: Any, code_id: str) -> Any:
    """The row of a code that was made here. Raises NotFound."""
    row = None
    if len(code_id) == 16 and all(sign in "0123456789abcdef" for sign in code_id):
        found = node.reader().execute("SELECT * FROM enrol_codes WHERE code_id = ?", (bytes.fromhex(code_id),))
        row = found.fetchone()
    if row is None:
        raise NotFound("unknown_code", "there is no such enrolment code", "Make a new one.")
    return row


def text_of(node: Any, row: Any) -> str:
    return _text(node, bytes(row["secret"]))


def fitting(node: Any, prove: Callable[[bytes], bytes], proof: bytes) -> Any | None:
    """The row of the code whose secret makes this proof."""
    found = None
    # Every code is tried, whichever fits: the time tells nothing about which one did.
    for row in node.reader().execute("SELECT * FROM enrol_codes").fetchall():
        if hmac.compare_digest(prove(bytes(row["secret"])), proof):
            found = row
    return found


def require_issuer(node: Any) -> None:
    if node.certificate is None or "enrol" not in node.certificate.capabilities:
        raise Forbidden("not_an_issuer", "this node may not enrol devices", "Ask the hub.")


def _text(node: Any, secret: bytes) -> str:
    return Code(signing.root_fingerprint(node.root_public)[:FINGERPRINT_BYTES], secret).text()
