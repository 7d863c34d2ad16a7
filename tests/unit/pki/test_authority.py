"""The city's TLS authority: one secret makes it, and only what it signed holds."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from app.pki import authority, leaf, peer
from app.pki.authority import Authority, BadTlsCertificate
from sync.signing import SigningKey
from tests.unit.pki.cities import DAY_MS, NOW, City, city, ident


def test_a_recovery_file_of_any_age_makes_the_same_authority() -> None:
    seed = os.urandom(32)
    first, second = authority.city_authority(seed), authority.city_authority(seed)
    assert first.der == second.der
    assert authority.city_authority(os.urandom(32)).der != first.der


def test_the_citys_root_vouches_for_its_own_tls_authority_and_for_no_other() -> None:
    own, other = city(), city("川口")
    root_public = SigningKey(own.seed).public
    authority.check_endorsed(root_public, own.root, authority.endorse(own.seed))
    for der, by in ((other.root, own.seed), (own.root, other.seed), (own.root[:-1], own.seed)):
        with pytest.raises(BadTlsCertificate):
            authority.check_endorsed(root_public, der, authority.endorse(by))


def test_a_leaf_says_which_node_it_is_for_who_gave_it_and_how_long_it_holds() -> None:
    own = city()
    found = peer.check_chain(own.root, own.node("T07").chain)
    assert (found.node_id, found.issuer_node, found.mark) == (ident("T07"), own.hub_id, None)
    assert found.names == {"t07.tomoshibi.internal"}
    assert found.ends_ms == NOW + leaf.LEAF_DAYS * DAY_MS
    assert not found.has_ended(found.ends_ms) and found.has_ended(found.ends_ms + 1)


def test_only_an_issuers_own_leaf_speaks_for_the_hub() -> None:
    own = city()
    hub = peer.check_chain(own.root, own.node("H1", hub=True, names=("192.168.11.5", "bousai.lan")).chain)
    assert hub.speaks_for_the_hub
    assert {"192.168.11.5", "bousai.lan", leaf.HUB_NAME} <= hub.names
    posing = leaf.issue_node(own.issuer, authority.new_key().public_key(), ident("T01"), "T01", NOW, hub=True)
    assert not peer.read(posing).speaks_for_the_hub
    assert not peer.read(own.node("T01").chain[0]).speaks_for_the_hub


def test_a_leaf_is_short_enough_for_the_browsers_that_count() -> None:
    made = peer.load(city().node("T01").chain[0])
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days <= 825


def test_a_browsers_certificate_is_for_no_node() -> None:
    own, key = city(), authority.new_key()
    made = leaf.issue_browser(own.issuer, key.public_key(), "本部 1号機", bytes(16), NOW)
    found = peer.check_chain(own.root, (made, own.issuer.der))
    assert (found.node_id, found.mark, found.name) == (None, bytes(16), "本部 1号機")
    assert not found.speaks_for_the_hub
    uses = peer.load(made).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.ExtendedKeyUsageOID.SERVER_AUTH not in uses


def forged_chains() -> dict[str, tuple[City, tuple[bytes, ...]]]:
    own, other = city(), city("川口")
    tablet = own.node("T01")
    below = Authority(peer.load(tablet.chain[0]), tablet.key)  # a tablet that signs for another
    signed_by_leaf = leaf.issue_node(below, authority.new_key().public_key(), own.hub_id, "H1", NOW, hub=True)
    key = authority.new_key()
    deeper = authority._authority_builder(
        own.issuer.certificate.subject, own.issuer.certificate.subject, key.public_key(), 77, 0
    )
    second = authority.sign(deeper, own.issuer.key)
    under_second = leaf.issue_node(Authority(second, key), key.public_key(), ident("T01"), "T01", NOW)
    flipped = bytearray(tablet.chain[0])
    flipped[len(flipped) // 2] ^= 1
    return {
        "another city's": (own, other.node("T01").chain),
        "another city's leaf under ours": (own, (other.node("T01").chain[0], own.issuer.der)),
        "signed by a leaf": (own, (signed_by_leaf, tablet.chain[0])),
        "one authority too many": (own, (under_second, second.public_bytes(Encoding.DER), own.issuer.der)),
        "the authority itself as a leaf": (own, (own.issuer.der, own.root)),
        "alone": (own, tablet.chain[:1]),
        "one bit": (own, (bytes(flipped), own.issuer.der)),
        "no certificate": (own, (b"\x30\x82", own.issuer.der)),
        "too large": (own, (bytes(9_000), own.issuer.der)),
    }


@pytest.mark.parametrize("name", list(forged_chains()))
def test_a_chain_that_the_citys_authority_did_not_make_is_refused(name: str) -> None:
    own, chain = forged_chains()[name]
    with pytest.raises(BadTlsCertificate):
        peer.check_chain(own.root, chain)


def test_a_request_gives_its_key_and_nothing_that_it_says_of_itself() -> None:
    key = authority.new_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    names = x509.SubjectAlternativeName([x509.DNSName(leaf.HUB_NAME)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(names, critical=False)
    greedy = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    public = leaf.read_request(greedy)
    assert public.public_numbers() == key.public_key().public_numbers()
    made = leaf.issue_node(city().issuer, public, ident("T01"), "T01", NOW)
    assert leaf.HUB_NAME not in peer.read(made).names


def bad_requests() -> dict[str, object]:
    good = leaf.request(authority.new_key())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    other_curve = builder.sign(ec.generate_private_key(ec.SECP384R1()), SHA256()).public_bytes(Encoding.DER)
    rsa_key = builder.sign(rsa.generate_private_key(65_537, 2_048), SHA256()).public_bytes(Encoding.DER)
    return {
        "another's signature": good[:-8] + bytes(8),
        "another curve": other_curve,
        "RSA": rsa_key,
        "text": "no bytes",
        "empty": b"",
        "cut": good[:-1],
        "padded": good + bytes(4_096),
        "a certificate": city().root,
    }


@pytest.mark.parametrize("name", list(bad_requests()))
def test_a_request_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadTlsCertificate):
        leaf.read_request(bad_requests()[name])


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # the library's own word on one of the bytes
def test_no_altered_byte_makes_a_leaf_say_something_else() -> None:
    own = city()
    tablet = own.node("T01")
    said = peer.check_chain(own.root, tablet.chain)
    for altered in every_alteration(tablet.chain[0]):
        with contextlib.suppress(BadTlsCertificate):
            peer.read(altered)
        with contextlib.suppress(BadTlsCertificate):  # the signature's count of unused bits is read by nobody
            found = peer.check_chain(own.root, (altered, own.issuer.der))
            assert dataclasses.replace(found, fingerprint=said.fingerprint) == said
    for altered in every_alteration(leaf.request(tablet.key)):
        with contextlib.suppress(BadTlsCertificate):
            leaf.read_request(altered)


def every_alteration(whole: bytes) -> Iterator[bytes]:
    for at in range(len(whole)):
        for change in (1, 2, 0x80, 0xFF):
            yield whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]


def test_the_two_ends_of_a_relayed_connection_have_another_channel() -> None:
    own = city()
    hub, tablet, relay = (own.node(name).chain[0] for name in ("H1", "T01", "T66"))
    honest = peer.channel_of(hub, tablet)
    assert honest not in (peer.channel_of(relay, tablet), peer.channel_of(hub, relay), peer.channel_of(tablet, hub))
