"""The shape of a store: made once, safe to run again, refused when it comes from a newer release."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import digests
from app.records import KINDS, damage_reports
from app.records.judge import judge
from app.store import engine, meta
from app.store.errors import NewerStore
from app.store.migrations import migrate
from app.store.projection import SqlProjection
from sync import digest
from sync.certificate import Certificate
from sync.operation import CITY
from sync.oplog import load_streams
from sync.replica import Identity, Replica
from sync.signing import SigningKey

KEY = b"\x01" * 32
LOCAL = {"meta", "settings", "credentials", "api_tokens", "sessions", "enrol_codes", "login_codes"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[engine.Connection]:
    engine.create_database(tmp_path / "tomoshibi.db", KEY, fill=migrate)
    connection = engine.open_connection(tmp_path / "tomoshibi.db", KEY)
    yield connection
    connection.close()


def tables(connection: engine.Connection) -> set[str]:
    return {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_store_has_the_log_the_projections_and_the_local_tables(connection: engine.Connection) -> None:
    assert tables(connection) >= LOCAL | {"op", "stream"} | {kind.table for kind in KINDS}


def test_migrating_again_changes_nothing(connection: engine.Connection) -> None:
    before = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    migrate(connection)
    assert connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() == before


def test_a_store_of_a_newer_release_is_refused_unchanged(connection: engine.Connection) -> None:
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('tomoshibi', 'm9999_later', '')"
    )
    with pytest.raises(NewerStore, match="m9999_later"):
        migrate(connection)


def test_facts_about_the_node_come_back_as_they_were_written(connection: engine.Connection) -> None:
    assert meta.read(connection, "name") is None
    meta.write(connection, "name", "第一避難所")
    meta.write(connection, "name", "第二避難所")
    meta.write(connection, "root_public", b"\x00\xff")
    assert meta.read_text(connection, "name") == "第二避難所"
    assert meta.read(connection, "root_public") == b"\x00\xff"


# -- a store of an older release ---------------------------------------------------------------------

RELEASE_2 = Path(__file__).with_name("release_2.sql")


@pytest.fixture
def older(tmp_path: Path) -> Iterator[engine.Connection]:
    """The store of a hub as release 2 of the tables left it."""
    script = RELEASE_2.read_text("utf-8")
    engine.create_database(tmp_path / "older.db", KEY, [line for line in script.splitlines() if line[:2] != "--"])
    connection = engine.open_connection(tmp_path / "older.db", KEY)
    yield connection
    connection.close()


def log_of(connection: engine.Connection) -> list[tuple[object, ...]]:
    """What the log says, in its order, without the numbers that only this node knows."""
    rows = connection.execute(
        "SELECT run.class, stream.id, run.first, run.last, run.head, run.signature, run.received_at, run.via, op.seq,"
        " op.record, op.body FROM run JOIN stream ON stream.no = run.stream JOIN op ON op.stream = run.stream"
        " AND op.seq BETWEEN run.first AND run.last ORDER BY run.position, op.seq"
    )
    return [tuple(row) for row in rows.fetchall()]


def replica_of(connection: engine.Connection) -> Replica:
    held = Certificate.decode(meta.read(connection, "certificate"))
    identity = Identity(SigningKey(b"\0" * 32), held.node_id, meta.read(connection, "root_public"), held)
    return Replica(connection, KINDS, judge, SqlProjection(connection, KINDS), identity, lambda: 0, os.urandom)


def test_the_log_of_an_older_store_is_kept_to_the_byte_and_in_its_order(older: engine.Connection) -> None:
    ends = {row["id"]: (row["last"], row["head"]) for row in older.execute("SELECT id, last, head FROM stream")}
    before = log_of(older)
    migrate(older)
    assert len(before) == 11 and log_of(older) == before
    assert {id_: (stream.last, stream.head) for id_, stream in load_streams(older).items()} == ends


def test_the_tables_of_an_older_store_are_made_anew_with_the_same_digest(older: engine.Connection) -> None:
    sums = [int.from_bytes(row[0], "big") for row in older.execute("SELECT total FROM digest_sum")]
    migrate(older)
    replica = replica_of(older)
    assert replica.public_digest() == f"{digest.total(sums):032x}"
    replica.rebuild()
    assert replica.public_digest() == f"{digest.total(sums):032x}" == digests.recomputed(older)["public"]
    assert older.execute("SELECT sum(reports) FROM report_counts").fetchone()[0] == 3


def test_what_is_written_after_the_step_follows_what_an_older_store_held(older: engine.Connection) -> None:
    greatest = older.execute("SELECT max(position) FROM run").fetchone()[0]
    migrate(older)
    replica = replica_of(older)
    assert replica.position >= greatest
    vector = replica.vector
    scope = next(stream.scope for stream in replica.streams.values() if stream.scope != CITY)
    made = damage_reports.create(uuid.uuid4(), scope, {"category": "flood", "summary": "冠水"})
    replica.run_batch([lambda replica: replica.record([made], None)])
    ((written, seq),) = replica.vector.items() - vector.items()
    assert log_of(older)[-1][1] == written and log_of(older)[-1][8] == seq
