"""The authority and a browser's certificate as files that device managers, systems and browsers take in."""

from __future__ import annotations

import plistlib
import ssl
import uuid

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from app.pki import peer
from app.pki.authority import Key, fingerprint

FORMATS = ("pem", "der", "mobileconfig")
_PROFILE = uuid.UUID("6b1f2d1e-6f0c-5a53-9d0a-5d0f7b9a4c11")  # the space of the profiles' own names


def pem(*certificates: bytes) -> bytes:
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in certificates).encode()


def authority_file(der: bytes, form: str) -> bytes:
    """The city's authority, to be trusted by a fleet of devices."""
    if form == "der":
        return der
    return pem(der) if form == "pem" else _profile(der)


def browser_file(name: str, key: Key, chain: tuple[bytes, ...], password: str) -> bytes:
    """A browser's certificate with its key and all above it, in PKCS#12 under ``password``."""
    leaf, *above = (peer.load(der) for der in chain)
    sealed = BestAvailableEncryption(password.encode())
    return serialize_key_and_certificates(name.encode(), key, leaf, above, sealed)


def _profile(der: bytes) -> bytes:
    """A profile for iOS and macOS. The same authority gives the same profile, so a second one takes its place."""
    mark = fingerprint(der).hex()
    inner = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"internal.tomoshibi.authority.{mark[:16]}.root",
        "PayloadUUID": str(uuid.uuid5(_PROFILE, mark + "root")).upper(),
        "PayloadDisplayName": "Tomoshibi city authority",
        "PayloadCertificateFileName": "tomoshibi-authority.cer",
        "PayloadContent": der,
    }
    outer = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"internal.tomoshibi.authority.{mark[:16]}",
        "PayloadUUID": str(uuid.uuid5(_PROFILE, mark)).upper(),
        "PayloadDisplayName": "Tomoshibi city authority",
        "PayloadContent": [inner],
    }
    return plistlib.dumps(outer)
