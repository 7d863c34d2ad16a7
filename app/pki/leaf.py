"""Leaves: the certificate that a node, or a browser at HQ, shows in TLS; and the request for one.

A request carries a key and nothing that is believed: which node it is for, the device's own proof says.
Names and addresses are given by an issuer to itself only: a terminal that could ask for one would ask for the hub's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.pki.authority import NODE_URI, UNREADABLE, Authority, BadTlsCertificate, Key, Public, sign

HUB_NAME = "hub.tomoshibi.internal"  # whichever node is the hub; only an issuer's own leaf bears it
NODE_DOMAIN = "tomoshibi.internal"
BROWSER_URI = "urn:tomoshibi:browser:"
LEAF_DAYS = 400
# Told with a beginning that lies as far back: a clock that is a year late still takes it, and the whole stays below the
# 825 days that a browser of iOS allows. Nodes themselves look at the end only.
BACK_DAYS = 400
REQUEST_BYTES_MAX = 2_048
ALT_NAMES_MAX = 32
_CURVES = (ec.SECP256R1,)


def request(key: Key) -> bytes:
    """A signing request (PKCS#10, DER): shows that whoever asks holds the key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tomoshibi node")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    asked: x509.CertificateSigningRequest = sign(builder, key, repeatable=True)
    return asked.public_bytes(_DER)


def read_request(der: object) -> Public:
    """The key that a request asks a leaf for. Raises BadTlsCertificate."""
    if not isinstance(der, bytes) or len(der) > REQUEST_BYTES_MAX:
        raise BadTlsCertificate("the request is missing or too large")
    try:
        asked = x509.load_der_x509_csr(der)
        public = asked.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, _CURVES):
            raise BadTlsCertificate("the request's key is not one of P-256")
        if not asked.is_signature_valid:
            raise BadTlsCertificate("the request is not signed by its own key")
    except UNREADABLE as error:
        raise BadTlsCertificate("this is no request for a certificate") from error
    return public


def issue_node(
    issuer: Authority,
    public: Public,
    node_id: bytes,
    label: str,
    now_ms: int,
    *,
    hub: bool = False,
    names: Iterable[str] = (),
) -> bytes:
    """A leaf for a node, in DER. ``hub`` and ``names`` (hosts, addresses) are for the issuer's own leaf."""
    dns = [f"{label.lower()}.{NODE_DOMAIN}"] if label.isascii() and label.isalnum() else []
    alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(NODE_URI + node_id.hex())]
    alternatives += [x509.DNSName(name) for name in ([HUB_NAME] if hub else []) + dns]
    alternatives += [general_name(name) for name in list(dict.fromkeys(names))[:ALT_NAMES_MAX]]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return _issue(issuer, public, f"{label or 'node'} {node_id.hex()[:12]}", alternatives, uses, now_ms)


def issue_browser(issuer: Authority, public: Public, name: str, mark: bytes, now_ms: int) -> bytes:
    """A leaf for a browser, in DER: it opens the pages of a node, where its person still has to log in."""
    alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(BROWSER_URI + mark.hex())]
    return _issue(issuer, public, name, alternatives, [ExtendedKeyUsageOID.CLIENT_AUTH], now_ms)


def general_name(name: str) -> x509.GeneralName:
    """A host or an address, as a certificate names it. Raises ValueError for what is neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode() if not name.isascii() else name)


def _issue(
    issuer: Authority,
    public: Public,
    common: str,
    alternatives: list[x509.GeneralName],
    uses: list[x509.ObjectIdentifier],
    now_ms: int,
) -> bytes:
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=BACK_DAYS))
        .not_valid_after(now + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
    )
    made: x509.Certificate = sign(builder, issuer.key)
    return made.public_bytes(_DER)


_DER = Encoding.DER
