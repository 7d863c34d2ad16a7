"""The issuer's side of the enrolment door: what a device sends, checked; what it is answered.

Before: ``views/enrol`` (HTTP). After: ``enrol_codes`` knows the code, ``enrol_requests`` waits for a person where
the code came from a page, ``enrol_grant`` writes the device's certificate. The secret of a code never travels.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app import enrol_codes, enrol_extras, enrol_requests
from app.enrol_grant import NEW_CODE, Answer, grant, granted
from app.errors import BadRequest, Conflict, Forbidden, Invalid, RateLimited
from app.records import shape
from sync import signing
from sync.enrolment import NONCE_BYTES, SHARE_BYTES, Extra, Transcript, reveal_proof
from sync.errors import BadEnrolment

VERSION = 2
NONCES_MAX, NONCE_MS = 256, 2 * 60_000
WRONG_MAX, WRONG_WITHIN_MS = 10, 60_000

_LENGTHS = {
    "issuer_nonce": NONCE_BYTES,
    "device_nonce": NONCE_BYTES,
    "public": 32,
    "sealing": 32,
    "commitment": 32,
    "signature": 64,
    "proof": 32,
}


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
        enrol_codes.require_issuer(self.node)
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
        now = self._watched()
        asked = _Asked.read(document)
        if self._nonces.pop(asked.issuer_nonce, None) is None:
            raise Conflict("nonce_unknown", "the request does not follow a hello", "Start the enrolment again.")
        said = asked.transcript(self.node)
        with self._one_at_a_time:
            code = self._code(said.request_proof, asked.proof)
            _check_device(said, asked.signature)
            if code["used_at"] is not None:
                return _answered(said, code, self._again(code, said))
            if code["approval"]:
                share = enrol_requests.ask(self.node, code, said, now)
                proof = said.waiting_proof(code["secret"], share)
                return {"version": VERSION, "state": "waiting", "share": share.hex(), "proof": proof.hex()}
            if now > code["expires_at"]:
                raise Forbidden("code_expired", "this code has expired", NEW_CODE)
            return _answered(said, code, grant(self.node, self.rows, code["code_id"], said))

    def answer(self, document: Any) -> dict[str, Any]:
        """For a device that waits: its share of the short code comes in, and the answer goes out once there is one."""
        now = self._watched()
        check_version(document, "the terminal")
        public, revealed = hex_of(document, "public", 32), hex_of(document, "reveal", SHARE_BYTES)
        proof = hex_of(document, "proof", 32)
        with self._one_at_a_time:
            code = self._code(lambda secret: reveal_proof(secret, public, revealed), proof)
            said = enrol_requests.reveal(self.node, code, public, revealed, now)
            if code["used_at"] is None:
                return {"version": VERSION, "state": "waiting"}
            return _answered(said, code, self._again(code, said))

    def approve(self, code_id: str, short_code: str, author: str) -> str:
        with self._one_at_a_time:
            return enrol_requests.approve(self.node, self.rows, code_id, short_code, author)

    def refuse(self, code_id: str, author: str) -> None:
        with self._one_at_a_time:
            enrol_requests.refuse(self.node, code_id, author)

    def _watched(self) -> int:
        enrol_codes.require_issuer(self.node)
        now: int = self.node.clock()
        self._wrong = [at for at in self._wrong if 0 <= now - at < WRONG_WITHIN_MS]
        if len(self._wrong) >= WRONG_MAX:
            raise RateLimited("too_many_tries", "too many wrong codes", "Wait a minute, then try again.")
        return now

    def _code(self, prove: Callable[[bytes], bytes], proof: bytes) -> Any:
        found = enrol_codes.fitting(self.node, prove, proof)
        if found is None:
            self._wrong.append(self.node.clock())
            raise Forbidden("code_wrong", "this hub made no such code", "Check the code letter by letter.")
        return found

    @staticmethod
    def _again(code: Any, said: Transcript) -> Answer:
        """The answer that was given under this code: the first one was lost on the way."""
        if code["used_by"] != signing.node_id_of(said.public).hex():
            raise Conflict("code_used", "this code was used already", NEW_CODE)
        return granted(code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A device's request, as it came in."""

    issuer_nonce: bytes
    device_nonce: bytes
    public: bytes
    sealing: bytes
    commitment: bytes
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
            self.commitment,
        )


def _check_device(said: Transcript, signature: bytes) -> None:
    try:
        said.check_device(signature)
    except BadEnrolment as error:
        raise Forbidden(error.code, str(error), error.hint) from error


def _answered(said: Transcript, code: Any, answer: Answer) -> dict[str, Any]:
    certificate, extra = answer
    proof = said.answer_proof(code["secret"], certificate, extra)
    wire = {"certificate": certificate.hex(), "extra": enrol_extras.to_wire(extra), "proof": proof.hex()}
    return {"version": VERSION, "state": "enrolled", **wire}


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
