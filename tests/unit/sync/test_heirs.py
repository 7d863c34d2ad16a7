"""The list of heirs holds by the root's signature alone, and a box opens for its heir alone."""

from __future__ import annotations

from typing import Any

import pytest

from sync import heirs, limits, signing
from sync.heirs import Heir, HeirList
from sync.operation import CITY, Change, encode_body
from sync.signing import SigningKey

ROOT, OTHER = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
SEED, NODE = b"\x05" * 32, b"n" * 16
CHANCE = bytes(range(64))


def box(payload: bytes = b"a certificate") -> bytes:
    return heirs.box(payload, NODE, signing.sealing_public(SEED), CHANCE)


def test_a_list_comes_back_in_its_order() -> None:
    made = HeirList.make(ROOT, 3, [Heir(b"b" * 16, b"x"), Heir(b"a" * 16, b"y")])
    assert HeirList.read(made.to_field(), ROOT.public) == made


@pytest.mark.parametrize(
    "change",
    [
        lambda field: [field[0] + 1, *field[1:]],
        lambda field: [field[0], field[1][::-1], field[2]],
        lambda field: [field[0], field[1][:1], field[2]],
        lambda field: [field[0], [[field[1][0][0], b"another box"], field[1][1]], field[2]],
        lambda field: [*field[:2], OTHER.sign(b"")],
        lambda field: [*field[:2], "no bytes"],
        lambda field: [*field[:2]],
        lambda field: ["1", *field[1:]],
        lambda field: [field[0], [["text", b""]], field[2]],
        lambda field: None,
    ],
)
def test_a_list_that_the_root_did_not_sign_is_none(change: Any) -> None:
    field = HeirList.make(ROOT, 3, [Heir(b"b" * 16, b"x"), Heir(b"a" * 16, b"y")]).to_field()
    assert HeirList.read(change(field), ROOT.public) is None


def test_a_list_of_another_city_is_none() -> None:
    assert HeirList.read(HeirList.make(OTHER, 1, []).to_field(), ROOT.public) is None


def test_a_box_opens_for_its_heir_and_for_nobody_else() -> None:
    assert heirs.unbox(box(), NODE, SEED) == b"a certificate"
    assert heirs.unbox(box(), b"m" * 16, SEED) is None
    assert heirs.unbox(box(), NODE, b"\x06" * 32) is None
    for at in (0, 40, len(box()) - 1):
        altered = bytearray(box())
        altered[at] ^= 1
        assert heirs.unbox(bytes(altered), NODE, SEED) is None
    assert heirs.unbox(b"", NODE, SEED) is None


def test_a_full_list_fits_into_a_body_and_one_more_heir_does_not() -> None:
    full = [Heir(bytes([at]) * 16, bytes(heirs.BOX_BYTES_MAX)) for at in range(heirs.HEIRS_MAX)]
    field = HeirList.make(ROOT, 1 << 31, full).to_field()
    change = Change("heirs", b"r" * 16, CITY, {"ordered": field})
    assert len(encode_body(1, 1, None, change, (), ())) <= limits.BODY_BYTES_MAX
    with pytest.raises(ValueError, match="no room"):
        HeirList.make(ROOT, 1, [*full, Heir(b"z" * 16, b"")])
    with pytest.raises(ValueError, match="no room"):
        HeirList.make(ROOT, 1, [Heir(b"z" * 16, bytes(heirs.BOX_BYTES_MAX + 1))])
