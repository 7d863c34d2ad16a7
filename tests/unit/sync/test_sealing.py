"""Sealed operations: who opens, who only holds; late keys, rotation, shredding; and any order of arrival."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync import grants, merge, oplog, seal, signing
from sync.errors import BadChange, NoScopeKey
from sync.kinds import SCOPE_KEYS
from sync.operation import CITY, REMOVE, Change, Operation, decode_body
from sync.oplog import Segment
from sync.replica import Replica
from tests.unit.sync.nodes import (
    REAL,
    Author,
    check_whole,
    connect,
    copy_of,
    everything,
    ident,
    make_replica,
    quarantined,
    receive,
    seed,
    tables,
    write,
)

NAME = "戸田花子"


def node_of(name: str) -> bytes:
    return signing.node_id_of(signing.SigningKey(seed(name)).public)


def public(name: str) -> bytes:
    return signing.sealing_public(seed(name + "/sealing"))


def do(replica: Replica, job: Any) -> Any:
    (result,), _ = replica.run_batch([job])
    if isinstance(result, Exception):
        raise result
    return result


def issuer(*members: str) -> Replica:
    """The hub: it has begun the key of HQ for itself and for ``members``."""
    hub = make_replica("hub")
    everyone = {node_of(name): public(name) for name in ("hub", *members)}
    do(hub, lambda replica: grants.begin(replica, "hq", everyone, None))
    return hub


def wrapped(replica: Replica) -> list[bytes]:
    return [bytes(row[0]) for row in replica.connection.execute("SELECT bytes FROM wrapped_key ORDER BY name")]


def keep(replica: Replica, listed: list[bytes]) -> None:
    do(replica, lambda one: one.keep_wrapped(listed))


def people(record: str, replaces: Any = (), **fields: Any) -> Change:
    return Change("people", ident(record), REAL, fields, replaces=replaces)


def opened(replica: Replica) -> dict[Any, Any]:
    return {key[2]: row[0] for key, row in tables(replica).items() if key[0] == "people"}


def give(source: Replica, *targets: Replica) -> None:
    for target in targets:
        receive(target, *everything(source))


def dump(replica: Replica) -> bytes:
    """Every value of every table, as bytes."""
    found = b""
    for (table,) in replica.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in replica.connection.execute(f"SELECT * FROM {table}").fetchall():
            for value in row:
                found += value if isinstance(value, bytes) else str(value).encode()
    return found


def tablet_and_hub(*members: str) -> tuple[Replica, Replica]:
    hub, tablet = issuer(*members), make_replica("tablet", ("field",))
    give(hub, tablet)
    return hub, tablet


def test_a_tablet_writes_what_it_cannot_read_back_and_hq_opens_it() -> None:
    hub, tablet = tablet_and_hub()
    write(tablet, people("a", name=NAME, phone="090"))
    assert opened(tablet) == {}
    assert NAME.encode() not in dump(tablet)
    give(tablet, hub)
    assert opened(hub) == {ident("a"): {"name": NAME, "phone": "090"}}
    assert check_whole(hub)["digest"] == check_whole(tablet)["digest"]


def test_without_the_public_key_nothing_is_written_at_all() -> None:
    tablet = make_replica("tablet", ("field",))
    with pytest.raises(NoScopeKey):
        write(tablet, Change("reports", ident("a"), REAL, {"text": "x"}), people("a", name=NAME))
    assert tables(tablet) == {}


def test_who_cannot_open_it_adds_a_value_and_replaces_none() -> None:
    hub, tablet = tablet_and_hub()
    write(hub, people("a", name="一"))
    give(hub, tablet)
    first = (hub.origin, hub.streams[hub.origin + REAL + b"w"].last)
    write(tablet, people("a", replaces=(first,), name="二"))
    give(tablet, hub)
    row = hub.projection.load(hub.kinds.by_name["people"], REAL, ident("a"))
    assert row is not None
    heads = merge.unpack(hub.kinds.by_name["people"], row.state, row.values).heads["name"]
    assert sorted(head[3] for head in heads) == ["一", "二"]
    write(hub, people("a", replaces=None, name="三"))
    assert opened(hub)[ident("a")] == {"name": "三"}
    assert tables(hub)["people", REAL, ident("a")][2] == 0
    check_whole(hub)


def test_who_cannot_open_it_removes_nothing_and_who_can_does() -> None:
    hub, tablet = tablet_and_hub()
    write(hub, people("a", name="一"))
    give(hub, tablet)
    first = (hub.origin, hub.streams[hub.origin + REAL + b"w"].last)
    write(tablet, Change("people", ident("a"), REAL, {}, REMOVE, (first,)))
    give(tablet, hub)
    assert not tables(hub)["people", REAL, ident("a")][1]
    write(hub, Change("people", ident("a"), REAL, {}, REMOVE, None))
    assert tables(hub)["people", REAL, ident("a")][1]
    check_whole(hub)


def test_a_name_in_clear_and_a_seal_to_another_scope_do_not_count() -> None:
    hub = issuer()
    stranger = Author("stranger", ("field",))
    stranger.write("people", ident("a"), {"name": NAME})
    key = hub.keyring.current("hq")
    assert key is not None
    outer = {"scope": "elsewhere", "epoch": 1, "key": key.id, "sealed": b"x" * 80}
    stranger.write("people", ident("b"), outer)
    receive(hub, *stranger.segments())
    assert set(quarantined(hub).values()) == {"malformed"}
    assert opened(hub) == {}


@pytest.mark.parametrize("change", [{"record": ident("b")}, {"hlc": 5}, {"author": ident("x")}, {"kind": "reports"}])
def test_sealed_bytes_open_nowhere_but_where_they_were_written(change: dict[str, Any]) -> None:
    hub = issuer()
    write(hub, people("a", name=NAME))
    (segment,) = [found for found in everything(hub) if found.stream[16:-1] == REAL]
    operation = decode_body(segment.bodies[1], segment.stream, 2)
    assert isinstance(operation, Operation)
    key = hub.keyring.current("hq")
    assert key is not None
    secret = hub.keyring.secrets[key.id]
    assert seal.open_sealed(operation, secret, node_of("hub")) is not None
    assert seal.open_sealed(operation, secret, node_of("tablet")) is None
    assert seal.open_sealed(replace(operation, **change), secret, node_of("hub")) is None


@pytest.mark.parametrize("sealed", [b"\0" * 80, b"\xff" * 80, b"\1" + b"\0" * 90])
def test_bytes_that_were_never_sealed_are_held_and_open_nothing(sealed: bytes) -> None:
    hub = issuer()
    key = hub.keyring.current("hq")
    assert key is not None
    stranger = Author("stranger", ("field",))
    stranger.write("people", ident("a"), {"scope": "hq", "epoch": 1, "key": key.id, "sealed": sealed})
    receive(hub, *stranger.segments())
    assert opened(hub) == {}
    check_whole(hub)


def test_a_late_grant_opens_what_was_there_before() -> None:
    hub, heir = tablet_and_hub()
    write(hub, people("a", name=NAME))
    give(hub, heir)
    assert opened(heir) == {}
    assert do(hub, lambda one: grants.grant(one, "hq", node_of("tablet"), public("tablet"), None)) == 1
    assert do(hub, lambda one: grants.grant(one, "hq", node_of("tablet"), public("tablet"), None)) == 0
    give(hub, heir)
    assert opened(heir) == {}, "the grant alone opens nothing: the wrapped key lies beside the log"
    keep(heir, wrapped(hub))
    assert opened(heir) == opened(hub) == {ident("a"): {"name": NAME}}
    assert check_whole(heir)["tables"] == check_whole(hub)["tables"]


def test_who_has_no_key_cannot_grant_it() -> None:
    _, tablet = tablet_and_hub()
    with pytest.raises(NoScopeKey):
        do(tablet, lambda one: grants.grant(one, "hq", node_of("x"), public("x"), None))


def test_a_scope_key_that_is_not_named_after_itself_is_none() -> None:
    hub = issuer()
    thief = Author("thief", ("field", "command", "enrol"))
    thief.write(SCOPE_KEYS.name, ident("k"), {"for_scope": "hq", "epoch": 9, "public": b"p" * 32}, scope=CITY)
    receive(hub, *thief.segments())
    key = hub.keyring.current("hq")
    assert key is not None and key.epoch == 1


def test_after_a_revocation_the_lost_device_opens_what_is_old_and_nothing_that_is_new() -> None:
    hub, lost = tablet_and_hub("tablet", "heir")
    heir = make_replica("heir", ("field",))
    for one in (lost, heir):
        give(hub, one)
        keep(one, wrapped(hub))
        write(one, Change("reports", ident(one.identity.node_id.hex()), REAL, {"text": "here"}))
        give(one, hub)
    write(hub, people("a", name="old"))
    do(hub, lambda one: one.revoke(node_of("tablet"), None, "", None))
    write(hub, people("b", name="new"))
    for one in (lost, heir):
        give(hub, one)
        keep(one, wrapped(hub))
    assert opened(lost) == {ident("a"): {"name": "old"}}
    assert opened(heir) == opened(hub) == {ident("a"): {"name": "old"}, ident("b"): {"name": "new"}}
    assert lost.public_digest() == heir.public_digest() == hub.public_digest()


def test_a_shred_order_takes_key_and_opened_text_from_everybody_and_the_log_stays_whole() -> None:
    hub, heir = tablet_and_hub("tablet")
    write(hub, people("a", name=NAME))
    old = wrapped(hub)
    give(hub, heir)
    keep(heir, old)
    assert opened(heir)
    doomed = do(hub, lambda one: grants.order(one, ident("order"), "hq", None, "", None))
    assert [key.epoch for key in doomed] == [1]
    give(hub, heir)
    for one in (hub, heir):
        assert opened(one) == {}
        assert NAME.encode() not in dump(one)
        assert not set(wrapped(one)) & set(old)
        check_whole(one)
    keep(heir, old)  # from a copy that somebody had kept
    assert opened(heir) == {}
    assert hub.public_digest() == heir.public_digest()
    write(hub, people("b", name="new"))
    assert opened(hub) == {ident("b"): {"name": "new"}}
    with pytest.raises(BadChange):
        do(hub, lambda one: grants.order(one, ident("again"), "hq", {1}, "", None))


def test_a_store_that_was_put_back_opens_nothing_until_it_is_told_that_it_may() -> None:
    hub = issuer()
    write(hub, people("a", name=NAME))
    do(hub, lambda one: one.open_again(frozenset(), closed=True))
    assert opened(hub) == {} and NAME.encode() not in dump(hub)
    do(hub, lambda one: one.open_again(frozenset(), closed=False))
    assert opened(hub) == {ident("a"): {"name": NAME}}
    key = hub.keyring.current("hq")
    assert key is not None
    do(hub, lambda one: one.open_again(frozenset({key.id}), closed=False))
    assert opened(hub) == {} and wrapped(hub) == []


def test_a_fork_of_sealed_operations_is_chosen_alike_by_who_can_open_them_and_who_cannot() -> None:
    hub, tablet = tablet_and_hub()
    key = hub.keyring.current("hq")
    assert key is not None
    one = Author("device", ("field",))
    one.certify(REAL, b"w")
    other = copy_of(one)
    for author, word in ((one, "left"), (other, "right")):
        change = seal.seal(people("a", name=word), key, None, author.node, None, 7, seed(word))
        author.write("people", ident("a"), dict(change.fields), hlc=7)
    receive(hub, one.segment(), other.segment())
    receive(tablet, other.segment(), one.segment())
    assert len(opened(hub)) == 1
    assert check_whole(hub)["digest"] == check_whole(tablet)["digest"]


@pytest.mark.parametrize("number", range(12))
def test_in_any_order_of_operations_and_keys_all_who_hold_the_key_show_the_same(number: int) -> None:
    _any_order(number)


@pytest.mark.deep
def test_in_any_of_many_orders_all_who_hold_the_key_show_the_same() -> None:
    for number in range(100, 160):
        _any_order(number)


def _any_order(number: int) -> None:
    """Writers with and without the key, apart and together; a fork, a revocation, a shredding; then one who hears all
    of it in another order, the keys among it.
    """
    chance = random.Random(number)
    hub, tablet = tablet_and_hub("heir")
    heir = make_replica("heir", ("field", "command"))
    give(hub, heir)
    keep(heir, wrapped(hub))
    everybody = (hub, tablet, heir)
    revoked_at, shredded_at = chance.randrange(20), chance.randrange(20)
    for step in range(10):
        _one_step(chance, step, everybody)
        if step == revoked_at:
            do(hub, lambda one: one.revoke(node_of(chance.choice(("tablet", "heir"))), None, "", None))
        if step == shredded_at:
            do(hub, lambda one: grants.order(one, ident("order"), "hq", None, "", None))
    fork = _forked(chance, hub) if chance.random() < 0.5 else []
    receive(hub, *fork)
    for one in everybody * 2:
        give(one, *(other for other in everybody if other is not one))
    receive(tablet, *reversed(fork))
    receive(heir, *fork)
    late = make_replica("late", ("field",))
    do(hub, lambda one: grants.grant(one, "hq", node_of("late"), public("late"), None))
    give(hub, tablet, heir)
    _hear_in_any_order(chance, late, [*_pieces(hub), *fork, *wrapped(hub), *wrapped(heir)])
    for one in (heir, tablet, late):
        keep(one, wrapped(hub))
    whole = {name: check_whole(one) for name, one in (("hub", hub), ("heir", heir), ("late", late), ("tab", tablet))}
    assert len({one["digest"] for one in whole.values()}) == 1
    assert whole["hub"]["tables"] == whole["late"]["tables"]
    if not hub.is_revoked(node_of("heir")):
        assert whole["hub"]["tables"] == whole["heir"]["tables"]
    assert opened(tablet) == {} and NAME.encode() not in dump(tablet)
    doomed = {key for one in hub.keyring.orders.values() for key in one}
    assert not doomed & (hub.keyring.secrets.keys() | late.keyring.secrets.keys() | heir.keyring.secrets.keys())


def _one_step(chance: random.Random, step: int, everybody: tuple[Replica, ...]) -> None:
    writer, record = chance.choice(everybody), chance.choice("abc")
    seen = chance.choice(((), None))
    write(writer, people(record, seen, **{chance.choice(("name", "phone")): f"{NAME}{step}"}))
    if chance.random() < 0.2:
        write(writer, Change("people", ident(record), REAL, {}, REMOVE, None))
    if chance.random() < 0.5:
        give(chance.choice(everybody), chance.choice(everybody))


def _forked(chance: random.Random, hub: Replica) -> list[Segment]:
    """A device whose disk was copied wrote sealed operations on both."""
    key = hub.keyring.current("hq")
    assert key is not None
    one = Author("device", ("field",))
    one.certify(REAL, b"w")
    other = copy_of(one)
    for author in (one, other):
        for number in range(chance.randrange(1, 3)):
            word = f"{NAME}{chance.random()}"
            change = seal.seal(people("a", name=word), key, None, author.node, None, 7 + number, seed(word))
            author.write("people", ident("a"), dict(change.fields), hlc=7 + number)
    return [one.segment(), other.segment()]


def _hear_in_any_order(chance: random.Random, late: Replica, pieces: list[Any]) -> None:
    chance.shuffle(pieces)
    while pieces:  # a segment that follows what is not here yet is offered again
        piece = pieces.pop(0)
        if isinstance(piece, bytes):
            keep(late, [piece])
        elif late.vector.get(piece.stream, 0) + 1 < piece.first:
            pieces.append(piece)
        else:
            receive(late, piece)


def _pieces(replica: Replica) -> list[Segment]:
    """All that a replica holds, a segment a signature."""
    found = []
    rows = replica.connection.execute("SELECT stream.id, first, last, signature FROM run JOIN stream ON no = stream")
    for id_, first, last, signature in rows.fetchall():
        bodies = oplog.bodies(replica.connection, replica.streams[bytes(id_)].no, first, last)
        found.append(Segment(bytes(id_), first, bytes(signature), tuple(bodies)))
    return found


def test_what_was_shredded_is_in_no_byte_of_the_file_either(tmp_path: Path) -> None:
    """The same store without encryption, so that the pages that are free can be read."""
    path = tmp_path / "plain.db"
    connection = connect(str(path))
    for pragma in ("journal_mode = WAL", "secure_delete = ON"):  # what the engine sets for every store
        connection.execute(f"PRAGMA {pragma}").fetchall()
    hub = make_replica("hub", connection=connection)
    do(hub, lambda one: grants.begin(one, "hq", {node_of("hub"): public("hub")}, None))
    for number in range(60):
        write(hub, people(f"r{number}", name=f"{NAME}{'x' * number * 20}"))
        write(hub, people(f"r{number}", None, name=f"{NAME}2", phone="0"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert NAME.encode() in path.read_bytes()
    do(hub, lambda one: grants.order(one, ident("order"), "hq", None, "", None))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(NAME.encode() in held for held in files)
    connection.close()
