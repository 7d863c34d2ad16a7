"""Certificates: one or two links up to the city's root, checked offline."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.certificate import Certificate
from sync.errors import BadCertificate
from sync.signing import SigningKey
from tests.unit.sync.nodes import ROOT, certificate, seed

ISSUER = certificate("hub", ("enrol", "hub"))


def issued(name: str, capabilities: tuple[str, ...], issuer: Certificate = ISSUER, by: str = "hub") -> Certificate:
    return certificate(name, capabilities, issuer=issuer, signer=SigningKey(seed(by)))


def test_a_certificate_of_the_root_is_good() -> None:
    ISSUER.verify(ROOT.public)


def test_a_certificate_of_an_issuer_is_good() -> None:
    issued("tablet", ("field",)).verify(ROOT.public)


def test_a_certificate_is_read_as_it_was_made() -> None:
    made = issued("tablet", ("field", "command"))
    assert Certificate.decode(made.encode()) == made


def test_an_unknown_capability_is_kept() -> None:
    assert "later" in Certificate.decode(certificate("tablet", ("later",)).encode()).capabilities


BAD = {
    "another city": certificate("tablet", root=SigningKey(seed("other root"))),
    "an issuer that may not enrol": issued("x", ("field",), certificate("plain", ("field",)), "plain"),
    "enrol from an issuer": issued("x", ("enrol",)),
    "three links": issued("y", ("field",), issued("x", ("field",)), "x"),
    "another key": issued("x", ("field",), by="somebody"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_certificate_that_the_root_does_not_vouch_for_is_refused(name: str) -> None:
    with pytest.raises(BadCertificate):
        BAD[name].verify(ROOT.public)


@pytest.mark.parametrize("data", [None, b"", b"\xc0", b"\x91" * 1500, b"x" * 3000, msgspec.msgpack.encode([1, 2, 3])])
def test_bytes_that_are_no_certificate_are_refused(data: object) -> None:
    with pytest.raises(BadCertificate):
        Certificate.decode(data)


def test_text_that_is_not_utf8_is_refused() -> None:
    # It once escaped as UnicodeDecodeError, through a hello that anyone can send.
    broken = certificate("tablet").encode().replace(b"tablet", b"\xff\xfetab\xff")
    with pytest.raises(BadCertificate):
        Certificate.decode(broken)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_bytes_raise_anything_but_a_refusal(data: st.DataObject) -> None:
    body = bytearray(issued("tablet", ("field",)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        Certificate.decode(bytes(body)).verify(ROOT.public)
    except BadCertificate:
        return
