"""The city's TLS authority, and the issuing authority of one node below it.

The authority's key is derived from the seed of the city's root: whoever has the recovery file has both, nobody else has
either, and a recovery file of any release makes the same authority, the same certificate byte for byte (ADR 11).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sync import signing
from sync.errors import BadSignature
from sync.signing import SigningKey

AUTHORITY_TAG = b"tomoshibi:tls-authority:1\0"
CURVE = ec.SECP256R1()
# Neither end is ever met: a tablet whose battery was empty wakes in 1970, and nobody renews a root in a flood.
FROM, UNTIL = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
NODE_URI = "urn:tomoshibi:node:"
_ISSUER_NAME = "Tomoshibi issuer "

# All that the library says of bytes that are no certificate, or not one that it can check.
UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)

Builder = x509.CertificateBuilder | x509.CertificateSigningRequestBuilder
Key = ec.EllipticCurvePrivateKey
Public = ec.EllipticCurvePublicKey


class BadTlsCertificate(Exception):
    """Bytes that are no certificate of this city's TLS authority. ``app/tls`` says it to people."""


@dataclass(frozen=True)
class Authority:
    """A certificate that may sign others, with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def city_authority(root_seed: bytes) -> Authority:
    """The authority of the city whose root has this seed: always the same one."""
    material = HKDF(hashes.SHA256(), 48, None, AUTHORITY_TAG).derive(root_seed)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    # 384 bits folded into 256: what the folding favours is one in 2^128.
    key = ec.derive_private_key(int.from_bytes(material, "big") % (order - 1) + 1, CURVE)
    fingerprint = signing.root_fingerprint(SigningKey(root_seed).public)
    name = _name(f"Tomoshibi city authority {fingerprint.hex()[:16]}")
    builder = _authority_builder(name, name, key.public_key(), int.from_bytes(fingerprint, "big") >> 1, 1)
    return Authority(sign(builder, key, repeatable=True), key)


def issue_intermediate(root_seed: bytes, public: Public, node_id: bytes) -> bytes:
    """An issuing authority for one node (the hub, an heir), in DER: it signs leaves and nothing else."""
    above = city_authority(root_seed)
    name = _name(_ISSUER_NAME + node_id.hex())
    serial = x509.random_serial_number()
    builder = _authority_builder(name, above.certificate.subject, public, serial, 0, above.key.public_key())
    uri = x509.UniformResourceIdentifier(NODE_URI + node_id.hex())
    builder = builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    made: x509.Certificate = sign(builder, above.key)
    return made.public_bytes(Encoding.DER)


def endorse(root_seed: bytes) -> bytes:
    """The city's root says that this TLS authority is its own: so a node that knows the root can pin it offline."""
    return SigningKey(root_seed).sign(AUTHORITY_TAG + city_authority(root_seed).der)


def check_endorsed(root_public: bytes, authority_der: bytes, endorsement: bytes) -> None:
    """Raise BadTlsCertificate unless the city's root vouches for this TLS authority."""
    try:
        signing.verify(root_public, endorsement, AUTHORITY_TAG + authority_der)
    except BadSignature as error:
        raise BadTlsCertificate("the city's root does not vouch for this TLS authority") from error


def issuer_of(certificate: x509.Certificate) -> bytes | None:
    """The node whose issuing authority signed a leaf: told by the name above it, which the city's authority signed."""
    try:
        (name,) = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        return bytes.fromhex(str(name.value).removeprefix(_ISSUER_NAME))
    except ValueError:
        return None


def new_key() -> Key:
    return ec.generate_private_key(CURVE)


def key_bytes(key: Key) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def sign(builder: Builder, key: Key, *, repeatable: bool = False) -> Any:
    """A certificate, or a request for one; ``repeatable``: the same bytes each time."""
    options: dict[str, Any] = {"ecdsa_deterministic": True} if repeatable else {}
    try:
        return builder.sign(key, hashes.SHA256(), **options)
    except (UnsupportedAlgorithm, TypeError):  # an older library: the bytes differ each time, what they say does not
        return builder.sign(key, hashes.SHA256())


def fingerprint(der: bytes) -> bytes:
    return hashlib.sha256(der).digest()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _authority_builder(
    subject: x509.Name, above: x509.Name, public: Public, serial: int, below: int, signer: Public | None = None
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer or public), critical=False)
    )
