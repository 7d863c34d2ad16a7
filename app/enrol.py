"""A terminal asks a hub to let it in: hello, request, and the certificate that makes it a node of the city.

Before: ``enrol --hub URL --code CODE``, or the page of a node that is not enrolled. After: ``node.adopt_certificate``
keeps what was given. Where a person at the hub decides, both screens show six digits and this side asks again until
there is an answer; what it needs for that lies in the store, so a restart changes nothing. The other side is
``enrol_door``; the bytes are in ``sync/enrolment``. The secret of the code never travels.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from app import enrol_extras, enrol_wire
from app.enrol_door import VERSION, check_version, hex_of
from app.enrol_link import Link, address, is_link
from app.errors import CommandFailed, Conflict
from app.store import meta
from sync import signing
from sync.enrolment import (
    NONCE_BYTES,
    SHARE_BYTES,
    Code,
    Transcript,
    check_issuer,
    commitment_to,
    reveal_proof,
)
from sync.errors import SyncError

Rows = Sequence[enrol_extras.Row]
OVER = ("refused", "approval_expired", "bad_reveal", "not_asked", "code_used", "code_wrong")
KEPT = "enrolment"  # in meta, while this terminal waits


@dataclass(frozen=True, slots=True)
class Waiting:
    """What this side said and was told, until somebody at the hub has decided."""

    code: str
    revealed: bytes
    hub_url: str = ""
    said: bytes = b""  # the transcript; empty until the hub has answered it
    share: bytes = b""

    @property
    def short_code(self) -> str:
        return Transcript.decode(self.said).short_code(self.revealed, self.share) if self.said else ""

    def as_dict(self) -> dict[str, Any]:
        return {"state": "waiting", "short_code": self.short_code, "hub_url": self.hub_url}


def enrol(node: Any, hub_url: str | None, code_text: str, rows: Rows = enrol_extras.ROWS) -> dict[str, Any]:
    """Ask the hub for a certificate and keep it; or begin to wait for a person there. ``code_text`` may be a link."""
    if node.enrolled:
        raise Conflict("already_enrolled", f"{node.name} is enrolled already", "Nothing needs to be done.")
    link = Link.parse(code_text) if is_link(code_text) else Link((address(hub_url or ""),), code_text)
    try:
        code = Code.parse(link.code)
        for at, hub in enumerate(link.hubs, 1):
            try:
                return _begin(node, hub, code, rows)
            except CommandFailed as error:
                if error.code != "hub_unreachable" or at == len(link.hubs):
                    raise
    except SyncError as error:
        raise CommandFailed(error.code, str(error), error.hint) from error
    raise AssertionError("a link names a hub")


def waiting(node: Any) -> Waiting | None:
    """The enrolment that waits for somebody at the hub, if one does."""
    kept = meta.read(node.reader(), KEPT)
    found = msgspec.msgpack.decode(kept, type=dict[str, Any]) if kept else None
    return Waiting(**found) if found else None


def go_on(node: Any, rows: Rows = enrol_extras.ROWS) -> dict[str, Any]:
    """Ask again how the hub has decided. What is over is forgotten, and raised."""
    kept = waiting(node)
    if kept is None or not kept.said:
        raise Conflict("not_waiting", "no enrolment waits here", "Start it with a code.")
    said, code = Transcript.decode(kept.said), Code.parse(kept.code)
    asked = {
        "version": VERSION,
        "public": said.public.hex(),
        "reveal": kept.revealed.hex(),
        "proof": reveal_proof(code.secret, said.public, kept.revealed).hex(),
    }
    try:
        answer = enrol_wire.fetch(f"{kept.hub_url}/enrol/v1/answer", asked)
        if answer.get("state") == "waiting":
            return kept.as_dict()
        return _adopt(node, kept.hub_url, code, said, answer, rows)
    except SyncError as error:
        raise CommandFailed(error.code, str(error), error.hint) from error
    except CommandFailed as error:
        if error.code in OVER:
            _forget(node)
        raise


def give_up(node: Any) -> None:
    """Wait no more; the code is lost with it."""
    _forget(node)


def _begin(node: Any, hub_url: str, code: Code, rows: Rows) -> dict[str, Any]:
    hello = enrol_wire.fetch(f"{hub_url}/enrol/v1/hello", None)
    check_version(hello, "the hub")
    root_public, issuer = hex_of(hello, "root_public", 32), hex_of(hello, "issuer", None)
    check_issuer(code, root_public, issuer)
    kept = _share(node, code)
    said = Transcript(
        root_public,
        issuer,
        hex_of(hello, "issuer_nonce", NONCE_BYTES),
        secrets.token_bytes(NONCE_BYTES),
        signing.SigningKey(node.keys.signing_seed).public,
        signing.sealing_public(node.keys.sealing_seed),
        node.name,
        enrol_extras.asked(rows, node),
        commitment_to(kept.revealed),
    )
    answer = enrol_wire.fetch(f"{hub_url}/enrol/v1/request", _request(node, code, said))
    if answer.get("state") != "waiting":
        return _adopt(node, hub_url, code, said, answer, rows)
    share = hex_of(answer, "share", SHARE_BYTES)
    said.check_waiting(code.secret, share, hex_of(answer, "proof", 32))
    # From here on this share is the one: whoever could send another after ours is told could choose the digits.
    _keep(node, Waiting(kept.code, kept.revealed, hub_url, said.encode(), share))
    return go_on(node, rows)


def _share(node: Any, code: Code) -> Waiting:
    """This side's share under a code: the same again where an answer was lost, for the hub takes no second one."""
    kept = waiting(node)
    if kept is None or kept.code != code.text() or kept.said:
        kept = Waiting(code.text(), secrets.token_bytes(SHARE_BYTES))
        _keep(node, kept)
    return kept


def _request(node: Any, code: Code, said: Transcript) -> dict[str, Any]:
    return {
        "version": VERSION,
        "issuer_nonce": said.issuer_nonce.hex(),
        "device_nonce": said.device_nonce.hex(),
        "public": said.public.hex(),
        "sealing": said.sealing.hex(),
        "name": said.name,
        "extra": enrol_extras.to_wire(said.extra),
        "commitment": said.commitment.hex(),
        "signature": signing.SigningKey(node.keys.signing_seed).sign(said.device_message()).hex(),
        "proof": said.request_proof(code.secret).hex(),
    }


def _adopt(node: Any, hub_url: str, code: Code, said: Transcript, answer: Any, rows: Rows) -> dict[str, Any]:
    extra = enrol_extras.from_wire(answer)
    encoded, proof = hex_of(answer, "certificate", None), hex_of(answer, "proof", 32)
    certificate = said.check_answer(code.secret, encoded, extra, proof)
    enrol_extras.adopt(rows, node, said.root_public, extra)
    node.adopt_certificate(encoded, said.root_public, hub_url)
    _forget(node)
    named = {"node_id": node.node_id, "name": certificate.name, "label": certificate.label}
    return {"state": "enrolled", **named, "hub_url": hub_url}


def _keep(node: Any, kept: Waiting) -> None:
    node.local_write(lambda connection: meta.write(connection, KEPT, msgspec.msgpack.encode(asdict(kept))))


def _forget(node: Any) -> None:
    node.local_write(lambda connection: meta.write(connection, KEPT, b""))
