"""Who stands at the other end of a TLS connection, read from the leaf that the handshake has verified.

OpenSSL checks the chain and the names, not the time: the end of a leaf is judged here, by a clock that is handed in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.pki.authority import NODE_URI, UNREADABLE, BadTlsCertificate, fingerprint, issuer_of
from app.pki.leaf import BROWSER_URI, HUB_NAME

CHANNEL_TAG = b"tomoshibi:channel:1\0"
LEAF_BYTES_MAX, CHAIN_MAX = 8_192, 3
_AT_HAND = 4_096  # leaves of this city read already: reading one takes 60 microseconds


@dataclass(frozen=True, slots=True)
class Peer:
    """What a leaf says. ``node_id`` is None for a browser."""

    fingerprint: bytes
    serial: str
    name: str
    node_id: bytes | None
    mark: bytes | None  # of a browser
    issuer_node: bytes | None
    ends_ms: int
    names: frozenset[str]

    @property
    def speaks_for_the_hub(self) -> bool:
        """An issuer says so of itself; of others nobody can."""
        return HUB_NAME in self.names and self.node_id is not None and self.issuer_node == self.node_id

    def has_ended(self, now_ms: int) -> bool:
        return now_ms > self.ends_ms


@lru_cache(_AT_HAND)
def read(der: bytes) -> Peer:
    """Raise BadTlsCertificate where it is no leaf of a city. The chain above it is the handshake's to verify."""
    leaf = load(der)
    try:
        is_authority = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        node_id, mark = _one(uris, NODE_URI), _one(uris, BROWSER_URI)
        hosts = names.get_values_for_type(x509.DNSName) + [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]
    except UNREADABLE as error:
        raise BadTlsCertificate("the certificate names neither a node nor a browser") from error
    if (node_id is None) == (mark is None) or is_authority:
        raise BadTlsCertificate("the certificate names neither a node nor a browser")
    ends_ms = int(leaf.not_valid_after_utc.timestamp() * 1000)
    name = str(common[0].value) if common else ""
    serial = f"{leaf.serial_number:x}"
    return Peer(fingerprint(der), serial, name, node_id, mark, issuer_of(leaf), ends_ms, frozenset(hosts))


def load(der: bytes) -> x509.Certificate:
    if len(der) > LEAF_BYTES_MAX:
        raise BadTlsCertificate("the certificate is too large")
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise BadTlsCertificate("this is no certificate") from error


def channel_of(server_leaf: bytes, client_leaf: bytes) -> bytes:
    """What both ends of one TLS connection put under their hello, from the leaves that each really saw.

    Who stands between two nodes shows each of them a leaf of its own, so the two ends differ, and no proof fits.
    """
    return hashlib.sha256(CHANNEL_TAG + fingerprint(server_leaf) + fingerprint(client_leaf)).digest()


def check_chain(authority_der: bytes, chain: tuple[bytes, ...]) -> Peer:
    """The leaf of a chain (leaf, issuing authority), up to the city's authority. Raises BadTlsCertificate."""
    if len(chain) != 2:
        raise BadTlsCertificate("the chain has another length")
    leaf, issuing, above = (load(der) for der in (*chain, authority_der))
    try:
        leaf.verify_directly_issued_by(issuing)
        issuing.verify_directly_issued_by(above)
        lengths = [_path_length(one) for one in (leaf, issuing, above)]
    except UNREADABLE as error:
        raise BadTlsCertificate("the chain does not hold") from error
    if lengths != [None, 0, 1]:
        raise BadTlsCertificate("the chain's authorities may not sign")
    return read(chain[0])


def public_of(der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        public = load(der).public_key()
    except UNREADABLE as error:
        raise BadTlsCertificate("the certificate's key cannot be read") from error
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise BadTlsCertificate("the certificate's key is of another kind")
    return public


def node_of_issuing(der: bytes) -> bytes | None:
    """The node that an issuing authority is for."""
    try:
        names = load(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return _one(names.get_values_for_type(x509.UniformResourceIdentifier), NODE_URI)
    except UNREADABLE as error:
        raise BadTlsCertificate("the authority names no node") from error


def _one(uris: list[str], kind: str) -> bytes | None:
    found = [bytes.fromhex(uri.removeprefix(kind)) for uri in uris if uri.startswith(kind)]
    if len(found) > 1 or any(len(value) != 16 for value in found):
        raise ValueError
    return found[0] if found else None


def _path_length(certificate: x509.Certificate) -> int | None:
    """How many authorities may stand below; None where it is no authority."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None
    return found.path_length if found.ca else None
