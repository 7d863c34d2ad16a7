"""The certificate of a new device, and its place in ``nodes``: written in the transaction that uses its code.

Before: ``enrol_door`` (a code of the command line) or ``enrol_requests`` (a person approved). After: the answer is
kept beside the code, and given again to the same device.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from app import enrol_extras
from app.errors import Conflict
from app.queries import nodes
from app.records import nodes as node_records
from app.store.engine import Connection
from sync import signing
from sync.authoring import Recorded
from sync.certificate import Certificate
from sync.enrolment import Extra, Transcript

TERMINAL = frozenset({"field"})
NEW_CODE = "Make a new one on the hub with `tomoshibi enrol-code`."

Answer = tuple[bytes, Extra]  # the certificate, and what rides along


def grant(
    node: Any,
    rows: Sequence[enrol_extras.Row],
    code_id: bytes,
    asked: Transcript,
    author: str | None = None,
    also: Sequence[tuple[str, tuple[Any, ...]]] = (),
) -> Answer:
    """Let the device in. ``also``: statements for the same transaction. One caller at a time: labels are counted."""
    certificate = _certificate(node, asked)
    extra = enrol_extras.answered(rows, node, certificate, asked.extra)
    node_id, encoded = certificate.node_id.hex(), certificate.encode()

    def use(connection: Connection) -> None:
        marked = connection.execute(
            "UPDATE enrol_codes SET used_at = ?, used_by = ?, certificate = ?, extra = ?"
            " WHERE code_id = ? AND used_at IS NULL",
            (certificate.issued_ms, node_id, encoded, msgspec.msgpack.encode(extra), code_id),
        )
        if marked.rowcount != 1:
            raise Conflict("code_used", "this code was used already", NEW_CODE)
        for statement, values in also:
            connection.execute(statement, values)

    change = node_records.enrolled(node_id, certificate.name, certificate.label, "terminal", sorted(TERMINAL))
    if not isinstance(node.write([change], author, local=use), Recorded):
        raise Conflict("not_written", "the enrolment could not be written", "Try again.")
    return encoded, extra


def granted(row: Any) -> Answer:
    """What was answered under a code that is used."""
    extra = msgspec.msgpack.decode(row["extra"], type=dict[str, bytes]) if row["extra"] else {}
    return bytes(row["certificate"]), extra


def _certificate(node: Any, asked: Transcript) -> Certificate:
    return Certificate.make(
        signing.SigningKey(node.keys.signing_seed),
        node.certificate,
        root=signing.root_fingerprint(node.root_public),
        public=asked.public,
        sealing=asked.sealing,
        name=asked.name,
        label=_next_label(node),
        capabilities=TERMINAL,
        issued_ms=node.clock(),
        serial=secrets.token_bytes(16),
    )


def _next_label(node: Any) -> str:
    used = [found["label"] or "" for found in nodes.listed(node.reader())]
    numbers = [int(label[1:]) for label in used if label[:1] == "T" and label[1:].isdigit()]
    return f"T{max(numbers, default=0) + 1:02d}"
