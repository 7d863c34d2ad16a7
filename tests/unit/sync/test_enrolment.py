"""The code as people type it, and what the proofs cover."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync import signing
from sync.certificate import Certificate
from sync.enrolment import Code, Transcript, check_extra, check_issuer, commitment_to
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
    {"tls": b"a request"},
    commitment_to(b"r" * 32),
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
        {"extra": {}},
        {"commitment": commitment_to(b"s" * 32)},
        {"extra": {"tls": b"another request"}},
        {"extra": {"lts": b"a request"}},
    ],
)
def test_a_proof_covers_all_that_was_said(change: dict[str, Any]) -> None:
    other = replace(TRANSCRIPT, **change)
    assert other.request_proof(CODE.secret) != TRANSCRIPT.request_proof(CODE.secret)
    assert other.answer_proof(CODE.secret, b"c", {}) != TRANSCRIPT.answer_proof(CODE.secret, b"c", {})
    if "public" not in change:
        with pytest.raises(BadEnrolment):
            other.check_device(DEVICE.sign(TRANSCRIPT.device_message()))


def test_an_answer_holds_only_with_its_proof_its_root_and_its_keys() -> None:
    good = certificate(HUB, ISSUER, DEVICE, "field").encode()
    extra = {"tls": b"a leaf"}
    proof = TRANSCRIPT.answer_proof(CODE.secret, good, extra)
    assert TRANSCRIPT.check_answer(CODE.secret, good, extra, proof).label == "T01"
    for changed in ({}, {"tls": b"another leaf"}, {**extra, "more": b""}):
        with pytest.raises(BadEnrolment):
            TRANSCRIPT.check_answer(CODE.secret, good, changed, proof)
    for wrong in (certificate(HUB, ISSUER, HUB, "field"), certificate(DEVICE, None, DEVICE, "field")):
        data = wrong.encode()
        with pytest.raises(BadEnrolment):
            TRANSCRIPT.check_answer(CODE.secret, data, {}, TRANSCRIPT.answer_proof(CODE.secret, data, {}))
    with pytest.raises(BadEnrolment):
        TRANSCRIPT.check_answer(CODE.secret, good, {}, TRANSCRIPT.answer_proof(b"another", good, {}))


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ({"a": bytes(8193)}, "extra_too_large"),
        ({"a": bytes(4097), "b": bytes(4096)}, "extra_too_large"),
        ({f"n{at}": b"" for at in range(17)}, "extra_too_large"),
        ({"": b""}, "extra_misnamed"),
        ({"Tls": b""}, "extra_misnamed"),
        ({"tls\n": b""}, "extra_misnamed"),
        ({"a" * 33: b""}, "extra_misnamed"),
    ],
)
def test_what_rides_along_has_a_limit_and_plain_names(extra: dict[str, bytes], code: str) -> None:
    with pytest.raises(BadEnrolment) as caught:
        check_extra(extra)
    assert caught.value.code == code
    check_extra({"a": bytes(4096), "b_2": bytes(4096)})


# -- the six digits --------------------------------------------------------------------------------

MINE, THEIRS = b"r" * 32, b"h" * 32


def test_both_sides_see_the_same_six_digits_also_after_a_repeated_request() -> None:
    digits = TRANSCRIPT.short_code(MINE, THEIRS)
    assert len(digits) == 6 and digits.isdigit()
    again = replace(TRANSCRIPT, issuer_nonce=b"j" * 16, device_nonce=b"e" * 16)
    assert again.short_code(MINE, THEIRS) == digits
    assert Transcript.decode(TRANSCRIPT.encode()) == TRANSCRIPT


@pytest.mark.parametrize(
    "change",
    [
        {"root_public": HUB.public},
        {"issuer": b"other"},
        {"public": HUB.public},
        {"sealing": b"s" * 32},
        {"name": "y"},
        {"extra": {}},
    ],
)
def test_the_digits_are_of_who_speaks_and_of_what_is_asked(change: dict[str, Any]) -> None:
    assert replace(TRANSCRIPT, **change).short_code(MINE, THEIRS) != TRANSCRIPT.short_code(MINE, THEIRS)


def test_the_digits_stand_on_a_share_of_each_side_and_the_devices_is_bound_before() -> None:
    digits = TRANSCRIPT.short_code(MINE, THEIRS)
    assert TRANSCRIPT.short_code(b"s" * 32, THEIRS) != digits != TRANSCRIPT.short_code(MINE, b"i" * 32)
    assert commitment_to(MINE) == TRANSCRIPT.commitment != commitment_to(b"s" * 32)


def test_digits_are_spread_evenly_enough_that_one_try_is_a_chance_in_a_million() -> None:
    seen = [TRANSCRIPT.short_code(MINE, at.to_bytes(32, "big")) for at in range(20_000)]
    pairs = len(seen) - len(set(seen))
    assert 100 < pairs < 320  # 198 are expected of 20,000 draws from a million
    assert {digits[0] for digits in seen} == set("0123456789")
