from __future__ import annotations

import base64

import msgspec
import pytest

from app.errors import AppError, BadRequest, PreconditionFailed, PreconditionRequired
from app.records import etag

VERSIONS = ((b"b" * 16, 1), (b"a" * 16, 300))


def packed(value: object) -> str:
    return '"' + base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).rstrip(b"=").decode() + '"'


def test_an_etag_gives_back_its_versions_in_one_order() -> None:
    assert etag.read_if_match(etag.make_etag(VERSIONS)) == tuple(sorted(VERSIONS))
    assert etag.make_etag(VERSIONS) == etag.make_etag(reversed(VERSIONS))
    assert etag.read_versions(etag.make_etag(VERSIONS).strip('"')) == tuple(sorted(VERSIONS))


def test_a_star_means_whatever_is_shown_now() -> None:
    assert etag.read_if_match(" * ") is None


@pytest.mark.parametrize("header", [None, "", "  "])
def test_no_header_is_a_precondition_required(header: str | None) -> None:
    with pytest.raises(PreconditionRequired):
        etag.read_if_match(header)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("abc", BadRequest),
        ('W/"abc"', BadRequest),
        ('"a", "b"', BadRequest),
        ('"' + "A" * 20_000 + '"', BadRequest),
        ('""', PreconditionFailed),
        ('"é"', PreconditionFailed),
        ('"!!!"', PreconditionFailed),
        (packed(5), PreconditionFailed),
        (packed([]), PreconditionFailed),
        (packed([["a", 1]]), PreconditionFailed),
        (packed([[b"a" * 15, 1]]), PreconditionFailed),
        (packed([[b"a" * 16, 0]]), PreconditionFailed),
        (packed([[b"a" * 16, 1 << 63]]), PreconditionFailed),
        (packed([[b"a" * 16, 1]] * 257), PreconditionFailed),
    ],
)
def test_junk_is_refused(header: str, error: type[AppError]) -> None:
    with pytest.raises(error):
        etag.read_if_match(header)
