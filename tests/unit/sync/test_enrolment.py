"""The code as people type it, and what the proofs cover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync import signing
from sync.certificate import Certificate
from sync.enrolment import Code, Transcript, check_issuer
from sync.errors import BadEnrolment
from sync.signing import SigningKey

ROOT, HUB, DEVICE = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32), SigningKey(b"\x03" * 32)
FINGERPRINT = signing.root_fingerprint(ROOT.public)
CODE = Code(FINGERPRINT[:10], b"\x0a" * 10)


def certificate(signer: SigningKey, issuer: Certificate | None, of: SigningKey, *capabilities: str) -> Certificate:
    return Certificate.make(
        signer,
        issuer,
        root=FINGERPRINT,
        public=of.public,
        sealing=signing.sealing_public(b"\x04" * 32),
        name="x",
        label="T01",
        capabilities=frozenset(capabilities),
        issued_ms=0,
        serial=bytes(16),
    )


ISSUER = certificate(ROOT, None, HUB, "enrol", "hub")
TRANSCRIPT = Transcript(
    ROOT.public,
    ISSUER.encode(),
    b"i" * 16,
    b"d" * 16,
    DEVICE.public,
    signing.sealing_public(b"\x04" * 32),
    "x",
)


def test_a_code_is_eight_groups_of_four_and_comes_back() -> None:
    assert [len(group) for group in CODE.text().split("-")] == [4] * 8
    assert Code.parse(CODE.text()) == CODE


def test_a_code_is_read_however_it_was_typed() -> None:
    text = Code(b"\x00" * 10, b"\x08\x42" * 5).text()
    assert "0" in text and "1" in text
    typed = text.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert Code.parse(f" {typed}\u3000") == Code.parse(text)


@pytest.mark.parametrize("text", ["", "ABCD", "U" * 32, CODE.text() + "0", "é" * 32, "0" * 31])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadEnrolment) as caught:
        Code.parse(text)
    assert caught.value.code == "bad_code"


def test_the_secret_of_a_code_is_never_printed() -> None:
    assert "secret" not in repr(CODE)


def test_a_hub_of_another_city_is_told_before_anything_is_said() -> None:
    with pytest.raises(BadEnrolment) as caught:
        check_issuer(CODE, HUB.public, ISSUER.encode())
    assert caught.value.code == "other_city"


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (certificate(HUB, None, HUB, "enrol"), "bad_certificate"),
        (certificate(HUB, ISSUER, DEVICE, "field"), "not_an_issuer"),
    ],
)
def test_who_may_not_enrol_is_no_issuer(issuer: Certificate, code: str) -> None:
    with pytest.raises(BadEnrolment) as caught:
        check_issuer(CODE, ROOT.public, issuer.encode())
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"root_public": HUB.public},
        {"issuer": b"other"},
        {"issuer_nonce": b"j" * 16},
        {"device_nonce": b"e" * 16},
        {"public": HUB.public},
        {"sealing": b"s" * 32},
        {"name": "y"},
    ],
)
def test_a_proof_covers_all_that_was_said(change: dict[str, bytes]) -> None:
    other = replace(TRANSCRIPT, **change)  # type: ignore[arg-type]
    assert other.request_proof(CODE.secret) != TRANSCRIPT.request_proof(CODE.secret)
    assert other.answer_proof(CODE.secret, b"c") != TRANSCRIPT.answer_proof(CODE.secret, b"c")
    if "public" not in change:
        with pytest.raises(BadEnrolment):
            other.check_device(DEVICE.sign(TRANSCRIPT.device_message()))


def test_an_answer_holds_only_with_its_proof_its_root_and_its_keys() -> None:
    good = certificate(HUB, ISSUER, DEVICE, "field").encode()
    assert TRANSCRIPT.check_answer(CODE.secret, good, TRANSCRIPT.answer_proof(CODE.secret, good)).label == "T01"
    for wrong in (certificate(HUB, ISSUER, HUB, "field"), certificate(DEVICE, None, DEVICE, "field")):
        data = wrong.encode()
        with pytest.raises(BadEnrolment):
            TRANSCRIPT.check_answer(CODE.secret, data, TRANSCRIPT.answer_proof(CODE.secret, data))
    with pytest.raises(BadEnrolment):
        TRANSCRIPT.check_answer(CODE.secret, good, TRANSCRIPT.answer_proof(b"another", good))
