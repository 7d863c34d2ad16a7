"""Certificates: who a device is and what it may write, checked offline up to the city's root (docs/protocol.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from sync import signing
from sync.errors import BadCertificate, BadSignature
from sync.signing import SigningKey

KIND = "certificates"
CAPABILITIES = frozenset({"field", "command", "hub", "enrol"})
NAME_CHARS_MAX = 100
CERTIFICATE_BYTES_MAX = 2048
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Certificate:
    root: bytes  # fingerprint
    public: bytes
    sealing: bytes
    name: str
    label: str
    capabilities: frozenset[str]
    issued_ms: int
    serial: bytes
    payload: bytes
    signature: bytes
    issuer: Certificate | None

    @property
    def node_id(self) -> bytes:
        return signing.node_id_of(self.public)

    @staticmethod
    def make(
        signer: SigningKey,
        issuer: Certificate | None,
        *,
        root: bytes,
        public: bytes,
        sealing: bytes,
        name: str,
        label: str,
        capabilities: frozenset[str],
        issued_ms: int,
        serial: bytes,
    ) -> Certificate:
        """Sign a certificate. ``signer``: the root (issuer None) or the issuer's key; ``root``: the fingerprint."""
        payload = _encode([1, root, public, sealing, name, label, sorted(capabilities), issued_ms, serial])
        signature = signer.sign(signing.CERTIFICATE_TAG + payload)
        return Certificate(
            root, public, sealing, name, label, frozenset(capabilities), issued_ms, serial, payload, signature, issuer
        )

    def encode(self) -> bytes:
        return _encode(self._items())

    def _items(self) -> list[Any]:
        return [self.payload, self.signature, self.issuer._items() if self.issuer else None]

    @staticmethod
    def decode(data: object) -> Certificate:
        """Parse, without judging who signed. Raises BadCertificate."""
        if not isinstance(data, bytes) or len(data) > CERTIFICATE_BYTES_MAX:
            raise BadCertificate("the certificate is missing or too large")
        try:
            items = _decode(data)
        except (ValueError, RecursionError, OverflowError) as error:
            raise BadCertificate("the certificate is not msgpack") from error
        return _from_items(items, depth=0)

    def verify(self, root_public: bytes) -> None:
        """Raise BadCertificate unless the root vouches for this certificate, directly or through one issuer."""
        if self.root != signing.root_fingerprint(root_public):
            raise BadCertificate("the certificate is of another city")
        signer = root_public
        if self.issuer is not None:
            self.issuer.verify(root_public)
            if self.issuer.issuer is not None or "enrol" not in self.issuer.capabilities:
                raise BadCertificate("the issuer may not enrol devices")
            if "enrol" in self.capabilities:
                raise BadCertificate("only the root gives the right to enrol")
            signer = self.issuer.public
        try:
            signing.verify(signer, self.signature, signing.CERTIFICATE_TAG + self.payload)
        except BadSignature as error:
            raise BadCertificate("the certificate's signature does not fit") from error


def _from_items(items: Any, depth: int) -> Certificate:
    if depth > 1 or type(items) is not list or len(items) != 3:
        raise BadCertificate("the certificate has another shape")
    payload, signature, issuer = items
    if type(payload) is not bytes or type(signature) is not bytes or len(signature) != 64:
        raise BadCertificate("the certificate has another shape")
    try:
        fields = _decode(payload)
    except (ValueError, RecursionError, OverflowError) as error:
        raise BadCertificate("the certificate is not msgpack") from error
    if type(fields) is not list or len(fields) != 9 or fields[0] != 1 or _encode(fields) != payload:
        raise BadCertificate("the certificate has another shape")
    _, root, public, sealing, name, label, capabilities, issued_ms, serial = fields
    _check_fields(root, public, sealing, name, label, capabilities, issued_ms, serial)
    parent = _from_items(issuer, depth + 1) if issuer is not None else None
    return Certificate(
        root, public, sealing, name, label, frozenset(capabilities), issued_ms, serial, payload, signature, parent
    )


def _check_fields(
    root: Any, public: Any, sealing: Any, name: Any, label: Any, capabilities: Any, issued_ms: Any, serial: Any
) -> None:
    lengths = ((root, 16), (public, 32), (sealing, 32), (serial, 16))
    if any(type(value) is not bytes or len(value) != size for value, size in lengths):
        raise BadCertificate("a key of the certificate has another length")
    if type(name) is not str or not 0 < len(name) <= NAME_CHARS_MAX or type(label) is not str or len(label) > 16:
        raise BadCertificate("the certificate's name is missing or too long")
    if type(capabilities) is not list or len(capabilities) > 16 or not all(type(c) is str for c in capabilities):
        raise BadCertificate("the certificate's capabilities have another shape")
    if capabilities != sorted(set(capabilities)) or type(issued_ms) is not int:
        raise BadCertificate("the certificate's capabilities are not in order")
