"""Names and signatures: one domain for each use."""

from __future__ import annotations

import pytest

from sync import signing
from sync.errors import BadSignature
from sync.signing import SigningKey
from tests.unit.sync.nodes import seed

KEY = SigningKey(seed("key"))


def test_a_signature_fits_its_message() -> None:
    signing.verify(KEY.public, KEY.sign(b"x"), b"x")


@pytest.mark.parametrize(
    ("public", "signature", "message"),
    [
        (KEY.public, KEY.sign(b"x"), b"y"),
        (SigningKey(seed("other")).public, KEY.sign(b"x"), b"x"),
        (KEY.public, b"", b"x"),
        (b"", KEY.sign(b"x"), b"x"),
        (b"\xff" * 32, KEY.sign(b"x"), b"x"),
    ],
)
def test_any_other_signature_is_refused(public: bytes, signature: bytes, message: bytes) -> None:
    with pytest.raises(BadSignature):
        signing.verify(public, signature, message)


def test_every_use_has_a_tag_of_its_own() -> None:
    tags = [value for name, value in vars(signing).items() if name.endswith("_TAG")]
    assert len(set(tags)) == len(tags) == 8
    assert not any(one != two and two.startswith(one) for one in tags for two in tags)


def test_the_chain_commits_to_the_stream_and_to_every_body_in_order() -> None:
    seed_s, seed_t = signing.chain_seed(b"s"), signing.chain_seed(b"t")
    one = signing.chain(seed_s, [b"a", b"b"])
    assert signing.chain(signing.chain(seed_s, [b"a"]), [b"b"]) == one
    assert len({one, signing.chain(seed_t, [b"a", b"b"]), signing.chain(seed_s, [b"b", b"a"])}) == 3


def test_names_are_16_bytes_and_differ() -> None:
    names = {signing.node_id_of(b"x"), signing.root_fingerprint(b"x"), signing.origin_of(b"x", b"")}
    assert [len(name) for name in names] == [16, 16, 16]
