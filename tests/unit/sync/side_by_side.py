"""A replica beside the plain model: pages, heads, live versions, ledgers, verdicts and the digest."""

from __future__ import annotations

from typing import Any

import msgspec

from sync import merge
from sync.operation import Version
from sync.replica import Replica
from tests.unit.sync.nodes import KINDS, REAL, ident, quarantined, recomputed
from tests.unit.sync.plain_model import REGISTERS, Model, Page, Write

REPORTS = KINDS.by_name["reports"]
RECORDS = [ident(f"record {number}") for number in range(2)]


def check_same(model: Model, replica: Replica) -> None:
    """Raise where a replica shows something else than the model says of the writes that it holds."""
    held = model.held(replica.vector)
    for record in RECORDS:
        page, row = model.page(held, record), replica.projection.load(REPORTS, REAL, record)
        assert (page is None) == (row is None)
        if page is not None and row is not None:
            _check_page(model, page, row)
    for kind in ("messages", "counts"):
        _check_ledger(replica, kind, model.ledger(held, kind))
    lost = {write.place for write in held} - {write.place for write in model.counting(held)}
    assert quarantined(replica) == dict.fromkeys(lost, "revoked")
    assert replica.public_digest() == recomputed(replica)


def _check_page(model: Model, page: Page, row: Any) -> None:
    state = merge.unpack(REPORTS, row.state, row.values)
    assert _packed(row.values) == _packed(page.values)
    for name in REGISTERS:
        heads = {_number(model, (head[1], head[2])): head[3] for head in state.heads.get(name, ())}
        assert heads == dict(page.heads[name])
    assert {_number(model, version) for version in merge.live(state)} == page.live
    assert (row.hidden, row.conflicts) == (page.hidden, len(page.conflicts))
    assert (row.created_hlc, row.origin, row.seq) == page.first.stamp
    assert row.author == page.first.author


def _check_ledger(replica: Replica, kind: str, listed: list[Write]) -> None:
    rows = [(row.order_key, row.origin, row.seq, record, row) for _, record, row in _rows(replica, kind)]
    assert [row[3] for row in sorted(rows, key=lambda row: row[:3])] == [write.record for write in listed]
    if kind == "counts":
        assert sum(row[4].values["people"] for row in rows) == sum(write.fields["people"] for write in listed)


def _rows(replica: Replica, kind: str) -> list[Any]:
    return list(replica.projection.rows(KINDS.by_name[kind]))


def _number(model: Model, version: Version) -> int:
    return model.numbers[version[0] + REAL + b"w", version[1]]


def _packed(values: Any) -> bytes:
    return bytes(msgspec.msgpack.encode(dict(sorted(values.items()))))
