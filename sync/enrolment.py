"""How a device is let into the city: the code, and the two messages of the enrolment door. Pure.

Before: ``app/enrol`` keeps codes and carries the messages over HTTP. After: the certificate that the device
puts into the first operation of each of its streams. The bytes are in docs/protocol.md, "Enrolment".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from sync import signing
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadEnrolment, BadSignature

FINGERPRINT_BYTES, SECRET_BYTES, NONCE_BYTES = 10, 10, 16
SHARE_BYTES = 32  # of either side, for the short code
EXTRAS_MAX, EXTRA_BYTES_MAX = 16, 8192  # the values of one message together
REQUEST_TAG = b"tomoshibi:enrol-request:2\0"
ANSWER_TAG = b"tomoshibi:enrol-answer:2\0"
DEVICE_TAG = b"tomoshibi:enrol-device:2\0"
WAITING_TAG = b"tomoshibi:enrol-waiting:2\0"
REVEAL_TAG = b"tomoshibi:enrol-reveal:2\0"
COMMITMENT_TAG = b"tomoshibi:enrol-commitment:2\0"
SHORT_TAG = b"tomoshibi:enrol-short:2\0"
_EXTRA_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Extra = Mapping[str, bytes]  # what rides along with a message, by name; what it means is not known here

# Crockford's base32: no I, L, O, U. What people type for them is read as what they meant.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_CROCKFORD = str.maketrans(_RFC, _CROCKFORD)
_TO_RFC = str.maketrans(_CROCKFORD, _RFC)
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\u3000": None})


@dataclass(frozen=True, slots=True)
class Code:
    """80 bits that name the city's root, and 80 that only HQ and the reader of the code know."""

    fingerprint: bytes
    secret: bytes = field(repr=False)

    def text(self) -> str:
        plain = base64.b32encode(self.fingerprint + self.secret).decode().translate(_TO_CROCKFORD)
        return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))

    @staticmethod
    def parse(text: str) -> Code:
        """Read a code as a person typed it. Raises BadEnrolment."""
        plain = text.strip().upper().translate(_MEANT)
        if len(plain) != 32 or any(char not in _CROCKFORD for char in plain):
            raise BadEnrolment("bad_code", "this is no enrolment code", hint="It has eight groups of four signs.")
        try:
            data = base64.b32decode(plain.translate(_TO_RFC))
        except binascii.Error as error:  # pragma: no cover - the alphabet was checked
            raise BadEnrolment("bad_code", "this is no enrolment code") from error
        return Code(data[:FINGERPRINT_BYTES], data[FINGERPRINT_BYTES:])

    def names_root(self, root_public: bytes) -> bool:
        return hmac.compare_digest(signing.root_fingerprint(root_public)[:FINGERPRINT_BYTES], self.fingerprint)


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that both sides have said: every proof covers the whole of it."""

    root_public: bytes
    issuer: bytes  # the issuer's certificate, encoded
    issuer_nonce: bytes
    device_nonce: bytes
    public: bytes
    sealing: bytes
    name: str
    extra: Extra  # what the device asks beside its certificate
    commitment: bytes  # to the device's share of the short code, which it tells later

    def encode(self) -> bytes:
        items = [
            self.root_public,
            self.issuer,
            self.issuer_nonce,
            self.device_nonce,
            self.public,
            self.sealing,
            self.name,
            _in_order(self.extra),
            self.commitment,
        ]
        return msgspec.msgpack.encode(items)

    @staticmethod
    def decode(data: bytes) -> Transcript:
        """What this side has encoded and kept."""
        items = msgspec.msgpack.decode(data)
        items[7] = dict(items[7])
        return Transcript(*items)

    def request_proof(self, secret: bytes) -> bytes:
        """Shows that the device holds the code."""
        return _mac(secret, REQUEST_TAG + self.encode())

    def device_message(self) -> bytes:
        """What the device signs, to show that it holds the key it asks a certificate for."""
        return DEVICE_TAG + self.encode()

    def answer_proof(self, secret: bytes, certificate: bytes, extra: Extra) -> bytes:
        """Shows that the answer, ``extra`` included, comes from whoever made the code."""
        answer = msgspec.msgpack.encode([certificate, _in_order(extra)])
        return _mac(secret, ANSWER_TAG + self.encode() + hashlib.sha256(answer).digest())

    def check_device(self, signature: bytes) -> None:
        try:
            signing.verify(self.public, signature, self.device_message())
        except BadSignature as error:
            raise BadEnrolment("bad_proof", "the device does not hold the key it named") from error

    def waiting_proof(self, secret: bytes, share: bytes) -> bytes:
        """Shows that the issuer's share of the short code comes from whoever made the code."""
        return _mac(secret, WAITING_TAG + self.encode() + share)

    def short_code(self, revealed: bytes, share: bytes) -> str:
        """Six digits that people compare, from what both sides know and from a share of each.

        The device is bound to its share (``commitment``) before it sees the issuer's, and the issuer has sent its own
        before it sees the device's: whoever stands between can try one pair, not search a million. Nonces of the
        messages are left out, so that a request which is repeated shows the same digits.
        """
        said = [self.root_public, self.issuer, self.public, self.sealing, self.name, _in_order(self.extra)]
        digest = hashlib.sha256(SHORT_TAG + msgspec.msgpack.encode([*said, revealed, share])).digest()
        return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"

    def check_waiting(self, secret: bytes, share: bytes, proof: bytes) -> None:
        if not hmac.compare_digest(self.waiting_proof(secret, share), proof):
            raise BadEnrolment("bad_proof", "the answer is not from whoever made the code")

    def check_answer(self, secret: bytes, certificate: bytes, extra: Extra, proof: bytes) -> Certificate:
        """The certificate, once all of it fits what was asked for. Raises BadEnrolment."""
        if not hmac.compare_digest(self.answer_proof(secret, certificate, extra), proof):
            raise BadEnrolment("bad_proof", "the answer is not from whoever made the code")
        try:
            parsed = Certificate.decode(certificate)
            parsed.verify(self.root_public)
        except BadCertificate as error:
            raise BadEnrolment("bad_certificate", f"the hub's answer does not hold: {error}") from error
        if (parsed.public, parsed.sealing) != (self.public, self.sealing):
            raise BadEnrolment("bad_certificate", "the certificate is for another device")
        return parsed


def check_extra(extra: Extra) -> None:
    """Raise BadEnrolment where what rides along is more, or named otherwise, than a message may carry."""
    if len(extra) > EXTRAS_MAX or sum(map(len, extra.values())) > EXTRA_BYTES_MAX:
        raise BadEnrolment("extra_too_large", "the message carries more than an enrolment may")
    if not all(_EXTRA_NAME.fullmatch(name) for name in extra):
        raise BadEnrolment("extra_misnamed", "a name in `extra` has another shape")


def _in_order(extra: Extra) -> list[list[str | bytes]]:
    return [[name, extra[name]] for name in sorted(extra)]


def _mac(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, hashlib.sha256).digest()


def commitment_to(revealed: bytes) -> bytes:
    return hashlib.sha256(COMMITMENT_TAG + revealed).digest()


def reveal_proof(secret: bytes, public: bytes, revealed: bytes) -> bytes:
    """Shows that whoever asks for the answer holds the code."""
    return _mac(secret, REVEAL_TAG + msgspec.msgpack.encode([public, revealed]))


def check_issuer(code: Code, root_public: bytes, issuer: bytes) -> Certificate:
    """The issuer's certificate, if the code names this root and the root lets the issuer enrol."""
    if not code.names_root(root_public):
        raise BadEnrolment(
            "other_city",
            "the code is of another city than this hub",
            hint="Check the hub's address and the code.",
        )
    try:
        certificate = Certificate.decode(issuer)
        certificate.verify(root_public)
    except BadCertificate as error:
        raise BadEnrolment("bad_certificate", f"this hub cannot enrol: {error}") from error
    if "enrol" not in certificate.capabilities:
        raise BadEnrolment("not_an_issuer", "this node may not enrol devices", hint="Name the hub's address.")
    return certificate
