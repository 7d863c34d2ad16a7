"""The issuer's side of the enrolment door: one-time codes, and certificates for the devices that hold one.

Before: ``views/enrol`` (HTTP) and ``enrol-code``. After: ``sync/enrolment`` checks the bytes, the device's
name goes into ``nodes``, in the transaction that marks its code as used. The secret of a code never travels.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app import enrol_extras
from app.errors import BadRequest, Conflict, Forbidden, Invalid, RateLimited
from app.queries import nodes
from app.records import nodes as node_records
from app.records import shape
from app.store.engine import Connection
from sync import signing
from sync.authoring import Recorded
from sync.certificate import Certificate
from sync.enrolment import FINGERPRINT_BYTES, NONCE_BYTES, SECRET_BYTES, Code, Extra, Transcript
from sync.errors import BadEnrolment

VERSION = 2
CODE_MS = 15 * 60_000
CODES_KEPT_MS, CODES_MAX = 24 * 3_600_000, 64
NONCES_MAX, NONCE_MS = 256, 2 * 60_000
WRONG_MAX, WRONG_WITHIN_MS = 10, 60_000
TERMINAL = frozenset({"field"})
NEW_CODE = "Make a new one on the hub with `tomoshibi enrol-code`."

_LENGTHS = {
    "issuer_nonce": NONCE_BYTES,
    "device_nonce": NONCE_BYTES,
    "public": 32,
    "sealing": 32,
    "signature": 64,
    "proof": 32,
}


@dataclass(frozen=True, slots=True)
class MadeCode:
    code: str
    expires_at: int


def make_code(node: Any) -> MadeCode:
    """A code for one device and fifteen minutes. Raises Forbidden where this node may not enrol devices."""
    _require_issuer(node)
    now, secret = node.clock(), secrets.token_bytes(SECRET_BYTES)
    code = Code(signing.root_fingerprint(node.root_public)[:FINGERPRINT_BYTES], secret)

    def keep(connection: Connection) -> None:
        connection.execute("DELETE FROM enrol_codes WHERE expires_at < ?", (now - CODES_KEPT_MS,))
        live = connection.execute("SELECT count(*) FROM enrol_codes WHERE used_at IS NULL AND expires_at > ?", (now,))
        if live.fetchone()[0] >= CODES_MAX:
            raise RateLimited("too_many_codes", "too many codes are open", "Wait until some have expired.")
        columns = "INSERT INTO enrol_codes (code_id, secret, made_at, expires_at) VALUES (?, ?, ?, ?)"
        connection.execute(columns, (hashlib.sha256(secret).digest()[:8], secret, now, now + CODE_MS))

    node.local_write(keep)
    return MadeCode(code.text(), now + CODE_MS)


@dataclass
class Door:
    """The issuer's side. One for a node: it counts wrong tries and remembers the nonces it gave."""

    node: Any
    rows: Sequence[enrol_extras.Row] = enrol_extras.ROWS
    _nonces: OrderedDict[bytes, int] = field(default_factory=OrderedDict)
    _wrong: list[int] = field(default_factory=list)
    _one_at_a_time: Any = field(default_factory=threading.Lock)  # two devices never get one label

    def hello(self) -> dict[str, Any]:
        """What a device asks first: who the city is, who speaks, and a nonce for one request."""
        _require_issuer(self.node)
        now, nonce = self.node.clock(), secrets.token_bytes(NONCE_BYTES)
        while self._nonces and (len(self._nonces) >= NONCES_MAX or next(iter(self._nonces.values())) < now - NONCE_MS):
            self._nonces.popitem(last=False)
        self._nonces[nonce] = now
        return {
            "version": VERSION,
            "root_public": self.node.root_public.hex(),
            "issuer": self.node.certificate.encode().hex(),
            "issuer_nonce": nonce.hex(),
        }

    def request(self, document: Any) -> dict[str, Any]:
        """Give a certificate to the device that holds a live code; once for each code."""
        _require_issuer(self.node)
        now = self.node.clock()
        self._wrong = [at for at in self._wrong if 0 <= now - at < WRONG_WITHIN_MS]
        if len(self._wrong) >= WRONG_MAX:
            raise RateLimited("too_many_tries", "too many wrong codes", "Wait a minute, then try again.")
        asked = _Asked.read(document)
        if self._nonces.pop(asked.issuer_nonce, None) is None:
            raise Conflict("nonce_unknown", "the request does not follow a hello", "Start the enrolment again.")
        transcript = asked.transcript(self.node)
        with self._one_at_a_time:
            row = self._row_of(transcript, asked.proof)
            certificate, extra = self._answer(row, asked, transcript, now)
        proof = transcript.answer_proof(row["secret"], certificate, extra)
        answer = {"certificate": certificate.hex(), "extra": enrol_extras.to_wire(extra), "proof": proof.hex()}
        return {"version": VERSION, **answer}

    def _row_of(self, transcript: Transcript, proof: bytes) -> Any:
        found = None
        # Every code is tried, whichever fits: the time tells nothing about which one did.
        for row in self.node.reader().execute("SELECT * FROM enrol_codes").fetchall():
            if hmac.compare_digest(transcript.request_proof(bytes(row["secret"])), proof):
                found = row
        if found is None:
            self._wrong.append(self.node.clock())
            raise Forbidden("code_wrong", "this hub made no such code", "Check the code letter by letter.")
        return found

    def _answer(self, row: Any, asked: _Asked, transcript: Transcript, now: int) -> tuple[bytes, Extra]:
        try:
            transcript.check_device(asked.signature)
        except BadEnrolment as error:
            raise Forbidden(error.code, str(error), error.hint) from error
        node_id = signing.node_id_of(asked.public).hex()
        if row["used_at"] is not None:
            if row["used_by"] == node_id:
                kept = msgspec.msgpack.decode(row["extra"], type=dict[str, bytes]) if row["extra"] else {}
                return bytes(row["certificate"]), kept  # the first answer was lost on the way
            raise Conflict("code_used", "this code was used already", NEW_CODE)
        if now > row["expires_at"]:
            raise Forbidden("code_expired", "this code has expired", NEW_CODE)
        certificate = self._certificate(asked, now)
        extra = enrol_extras.answered(self.rows, self.node, certificate, asked.extra)
        self._enrol(row["code_id"], certificate, extra)
        return certificate.encode(), extra

    def _certificate(self, asked: _Asked, now: int) -> Certificate:
        return Certificate.make(
            signing.SigningKey(self.node.keys.signing_seed),
            self.node.certificate,
            root=signing.root_fingerprint(self.node.root_public),
            public=asked.public,
            sealing=asked.sealing,
            name=asked.name,
            label=self._next_label(),
            capabilities=TERMINAL,
            issued_ms=now,
            serial=secrets.token_bytes(16),
        )

    def _enrol(self, code_id: bytes, certificate: Certificate, extra: Extra) -> None:
        node_id = certificate.node_id.hex()

        def use(connection: Connection) -> None:
            marked = connection.execute(
                "UPDATE enrol_codes SET used_at = ?, used_by = ?, certificate = ?, extra = ?"
                " WHERE code_id = ? AND used_at IS NULL",
                (certificate.issued_ms, node_id, certificate.encode(), msgspec.msgpack.encode(extra), code_id),
            )
            if marked.rowcount != 1:
                raise Conflict("code_used", "this code was used already", NEW_CODE)

        change = node_records.enrolled(node_id, certificate.name, certificate.label, "terminal", sorted(TERMINAL))
        if not isinstance(self.node.write([change], None, local=use), Recorded):
            raise Conflict("not_written", "the enrolment could not be written", "Try again.")

    def _next_label(self) -> str:
        used = [node["label"] for node in nodes.listed(self.node.reader())]
        numbers = [int(label[1:]) for label in used if label[:1] == "T" and label[1:].isdigit()]
        return f"T{max(numbers, default=0) + 1:02d}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A device's request, as it came in."""

    issuer_nonce: bytes
    device_nonce: bytes
    public: bytes
    sealing: bytes
    signature: bytes
    proof: bytes
    name: str
    extra: Extra

    @staticmethod
    def read(document: Any) -> _Asked:
        if not isinstance(document, dict) or "version" not in document:
            raise BadRequest("bad_request", "this is no enrolment request", "Use a terminal of the same release.")
        check_version(document, "the terminal")
        values: dict[str, Any] = {name: hex_of(document, name, size) for name, size in _LENGTHS.items()}
        name = shape.text(shape.NAME_CHARS_MAX, lines=False)("name", document.get("name"))
        return _Asked(**values, name=name, extra=enrol_extras.from_wire(document))

    def transcript(self, node: Any) -> Transcript:
        return Transcript(
            node.root_public,
            node.certificate.encode(),
            self.issuer_nonce,
            self.device_nonce,
            self.public,
            self.sealing,
            self.name,
            self.extra,
        )


def _require_issuer(node: Any) -> None:
    if node.certificate is None or "enrol" not in node.certificate.capabilities:
        raise Forbidden("not_an_issuer", "this node may not enrol devices", "Ask the hub.")


def check_version(document: Any, who: str) -> None:
    """Raise BadRequest where the other side speaks another version of the door."""
    said = document.get("version") if isinstance(document, dict) else None
    if said != VERSION:
        detail = f"{who} speaks version {said if isinstance(said, int) else '?'} of enrolment, this node {VERSION}"
        raise BadRequest("other_version", detail, "Bring both to the same release, then enrol.")


def hex_of(document: Any, name: str, size: int | None) -> bytes:
    try:
        value = bytes.fromhex(document[name])
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(
            "wrong_type", f"{name} is missing or no hexadecimal text", "Use the same release.", name
        ) from error
    if size is not None and len(value) != size:
        raise Invalid("wrong_length", f"{name} has another length", "Use the same release.", name)
    return value
