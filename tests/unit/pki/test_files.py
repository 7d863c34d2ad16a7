"""What is exported is what a device manager and a browser take in."""

from __future__ import annotations

import plistlib
import ssl

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from app.pki import authority, files, leaf, peer
from tests.unit.pki.cities import NOW, city


def test_every_form_of_the_authority_holds_the_same_certificate() -> None:
    root = city().root
    assert files.authority_file(root, "der") == root
    assert ssl.PEM_cert_to_DER_cert(files.authority_file(root, "pem").decode()) == root
    profile = plistlib.loads(files.authority_file(root, "mobileconfig"))
    assert profile["PayloadContent"][0]["PayloadContent"] == root
    assert files.authority_file(root, "mobileconfig") == files.authority_file(root, "mobileconfig")
    other = plistlib.loads(files.authority_file(city("川口").root, "mobileconfig"))
    assert other["PayloadUUID"] != profile["PayloadUUID"]


def test_a_browsers_file_opens_with_its_password_and_with_no_other() -> None:
    own, key = city(), authority.new_key()
    made = leaf.issue_browser(own.issuer, key.public_key(), "本部 1号機", bytes(16), NOW)
    packed = files.browser_file("本部 1号機", key, (made, own.issuer.der, own.root), "ABCD-EFGH")
    opened = load_pkcs12(packed, b"ABCD-EFGH")
    assert opened.key.private_numbers() == key.private_numbers()  # type: ignore[union-attr]
    assert opened.cert is not None and opened.cert.certificate == peer.load(made)
    assert {one.certificate for one in opened.additional_certs} == {peer.load(own.issuer.der), peer.load(own.root)}
    with pytest.raises(ValueError):
        load_pkcs12(packed, b"ABCD-EFGX")
