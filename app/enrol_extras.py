"""What rides along with an enrolment: one row for each thing that a device gets beside its certificate.

Before: ``enrol`` (the device) asks with ``asked``; ``enrol_door`` (the issuer) answers with ``answered``. After:
``adopt`` on the device. The bytes are covered by both proofs (``sync/enrolment``), and no name is known there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import beacon, recovery
from app.errors import Invalid
from app.tls import extras as tls
from sync.certificate import Certificate
from sync.enrolment import Extra, check_extra
from sync.errors import BadEnrolment

SAME_RELEASE = "Use the same release on both."


@dataclass(frozen=True, slots=True)
class Row:
    """``ask`` may be called again for one enrolment (an answer was lost): it must then ask for the same.

    ``answer`` runs on the issuer before anything is written, outside the writer's thread: what it raises refuses the
    enrolment. Its bytes are kept in the transaction that uses the code, and given again to the same device; the
    device is not in ``nodes`` yet. None: nothing to say.
    ``adopt`` runs on the device with the city's root key, once the answer's proof and the certificate hold and
    before the certificate is kept: what it raises (AppError) leaves the device unenrolled. It may run again.
    """

    name: str
    ask: Callable[[Any], bytes | None]
    answer: Callable[[Any, Certificate, bytes | None], bytes | None]
    adopt: Callable[[Any, bytes, bytes], None]  # node, root public key, answered bytes


ROWS: tuple[Row, ...] = (
    Row("tls", tls.ask, tls.answer, tls.adopt),
    Row("recovery", recovery.ask, recovery.answer, recovery.adopt),
    Row("beacon", beacon.ask, beacon.answer, beacon.adopt),
)


def asked(rows: Sequence[Row], node: Any) -> Extra:
    """What this device asks for beside its certificate."""
    return _said((row.name, row.ask(node)) for row in rows)


def answered(rows: Sequence[Row], node: Any, certificate: Certificate, asked: Extra) -> Extra:
    """What this issuer answers; what a newer release asks for is not known here, and left out."""
    return _said((row.name, row.answer(node, certificate, asked.get(row.name))) for row in rows)


def adopt(rows: Sequence[Row], node: Any, root_public: bytes, answered: Extra) -> None:
    """Keep what the issuer answered, row by row; what only a newer release knows is left."""
    for row in rows:
        if row.name in answered:
            row.adopt(node, root_public, answered[row.name])


def to_wire(extra: Extra) -> dict[str, str]:
    return {name: value.hex() for name, value in extra.items()}


def from_wire(document: Mapping[str, Any]) -> Extra:
    """The `extra` of a message. Raises Invalid."""
    values = document.get("extra")
    try:
        if not isinstance(values, dict):
            raise ValueError("no object")
        extra = {name: bytes.fromhex(value) for name, value in values.items()}
        check_extra(extra)
    except (TypeError, ValueError) as error:
        raise Invalid("wrong_type", "extra is missing or no hexadecimal text", SAME_RELEASE, "extra") from error
    except BadEnrolment as error:
        raise Invalid(error.code, str(error), SAME_RELEASE, "extra") from error
    return extra


def _said(values: Any) -> Extra:
    extra = {name: value for name, value in values if value is not None}
    check_extra(extra)
    return extra
