"""The shape of a store, release by release. Migrations only add or move; the projection tables follow the kinds.

The local tables belong to this node: they are in no digest, on no link, and `rebuild` leaves them alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.store import meta, search, tally
from app.store.engine import Connection
from app.store.errors import NewerStore
from app.store.schema import create_statements
from sync import oplog

if TYPE_CHECKING:
    from sqlite_utils import Database

SET = "tomoshibi"


def migrate(connection: Connection) -> None:
    """Bring a store to this release's shape; safe to run at every start. Raises NewerStore."""
    applied, known = _applied(connection), {step.__name__ for step in STEPS}
    if applied - known:
        newer = ", ".join(sorted(applied - known))
        raise NewerStore(f"the store has steps that this release does not know: {newer}")
    if known - applied:
        _apply(connection)
    _add_projections(connection)


def _applied(connection: Connection) -> set[str]:
    # Asked in SQL: importing sqlite-utils takes up to a second where pandas is installed, at each command.
    table = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_sqlite_migrations'").fetchone()
    if table is None:
        return set()
    names = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (SET,))
    return {row[0] for row in names}


def _apply(connection: Connection) -> None:
    from sqlite_utils import Database, Migrations

    migrations = Migrations(SET)
    for step in STEPS:
        migrations()(step)
    migrations.apply(Database(connection))


def m0001_the_log(database: Database) -> None:
    for statement in oplog.CREATE:
        database.execute(statement)


def m0002_local_tables(database: Database) -> None:
    _table(database, "meta", {"key": str, "value": bytes}, "key")
    _table(database, "settings", {"key": str, "value": str}, "key")
    _table(database, "enrol_codes", _ENROL_CODES, "code_id", optional={"used_at", "used_by", "certificate"})


def m0003_accounts(database: Database) -> None:
    _table(
        database,
        "credentials",
        {"user_id": str, "kind": str, "verifier": str, "made_at": int},
        ("user_id", "kind"),
    )
    _table(
        database,
        "api_tokens",
        {"token_hash": bytes, "user_id": str, "made_at": int, "revoked_at": int},
        "token_hash",
        optional={"revoked_at"},
    )
    _table(
        database,
        "sessions",
        {"id_hash": bytes, "user_id": str, "made_at": int, "seen_at": int, "ended_at": int},
        "id_hash",
        optional={"ended_at"},
    )
    # A code is for one person, or for whoever is to be the first with a role.
    _table(
        database,
        "login_codes",
        {"code_hash": bytes, "user_id": str, "role": str, "made_at": int, "expires_at": int, "used_at": int},
        "code_hash",
        optional={"user_id", "role", "used_at"},
    )


def m0004_files_and_drafts(database: Database) -> None:
    # What is known of a file until a record names it, and what somebody is writing: never on a link.
    _table(database, "attachment_facts", {"sha256": str, "facts": str, "made_at": int}, "sha256")
    _table(
        database,
        "drafts",
        {"user_id": str, "form": str, "body": str, "updated_at": int},
        ("user_id", "form"),
    )


def m0005_layers_in_use(database: Database) -> None:
    # The catalogue's entry as it was when its files were last whole here: it is drawn until a newer one is.
    _table(database, "layers_in_use", {"layer_id": str, "entry": str, "since": int}, "layer_id")


def m0006_one_table_of_the_log(database: Database) -> None:
    # Runs, ends of streams and sums had tables of their own: a save wrote 18 pages. All that they said is kept.
    if not _has_table(database, "run"):
        return  # a new store, which the first step has made in this shape
    for statement in ("ALTER TABLE op RENAME TO old_op", "DROP INDEX op_by_record"):
        database.execute(statement)
    database.execute("ALTER TABLE run RENAME TO old_run")
    for column in ("last", "head"):
        database.execute(f"ALTER TABLE stream DROP COLUMN {column}")
    for statement in oplog.CREATE:
        database.execute(statement)
    # The old positions are of runs: far enough apart, each operation finds a place before the one its run ends at.
    of_run = ", ".join(f"iif(o.seq = r.last, r.{name}, NULL)" for name in _OF_A_RUN)
    database.execute(
        f"INSERT INTO op SELECT (r.class << {oplog.CLASS_BITS}) + r.position * {_APART} - r.last + o.seq, o.stream,"
        f" o.seq, o.record, o.body, {of_run} FROM old_run AS r"
        " JOIN old_op AS o ON o.stream = r.stream AND o.seq BETWEEN r.first AND r.last ORDER BY 1"
    )
    database.execute("INSERT INTO log_meta SELECT 'sum:' || name || ':' || lower(hex(scope)), total FROM digest_sum")
    for table in ("old_run", "old_op", "digest_sum"):
        database.execute(f"DROP TABLE {table}")


def m0008_tls_leaves(database: Database) -> None:
    leaves = {"serial": str, "kind": str, "node_id": str, "name": str, "issued_at": int, "ends_at": int, "leaf": bytes}
    _table(database, "tls_leaves", {**leaves, "withdrawn_at": int}, "serial", optional={"withdrawn_at"})


def m0009_enrolment_extras(database: Database) -> None:
    # What was answered beside the certificate: the same device that asks again is given the same.
    database.execute("ALTER TABLE enrol_codes ADD COLUMN extra BLOB")


def m0010_people(database: Database) -> None:
    # A session has a stage, a lock and what it is bound to; a code may be one of a sheet.
    for table, columns in (
        ("sessions", ("stage TEXT", "locked_at INTEGER", "tries INTEGER", "peer TEXT")),
        ("login_codes", ("used_by TEXT", "envelope_id TEXT", "number INTEGER")),
    ):
        for column in columns:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    _table(database, "envelopes", _ENVELOPES, "id", optional={"ended_at"})
    _table(
        database,
        "totp",
        {
            "user_id": str,
            "secret": str,
            "pending": str,
            "made_at": int,
            "last_step": int,
            "wrong": int,
            "paused_until": int,
        },
        "user_id",
        optional={"secret", "pending", "made_at", "paused_until"},
    )
    recovery = {"code_hash": bytes, "user_id": str, "made_at": int, "used_at": int}
    _table(database, "recovery_codes", recovery, "code_hash", optional={"used_at"})


def m0011_sealed(database: Database) -> None:
    # What is sealed and counts, and the scope keys wrapped for nodes.
    for statement in oplog.CREATE:
        database.execute(statement)


def m0012_enrolment_requests(database: Database) -> None:
    # A code of a page is no approval: the device that used it waits here for a person.
    database.execute("ALTER TABLE enrol_codes ADD COLUMN approval INTEGER NOT NULL DEFAULT 0")
    database.execute("ALTER TABLE enrol_codes ADD COLUMN made_by TEXT")
    optional = {"revealed", "approved", "decided_at", "decided_by"}
    _table(database, "enrol_requests", _ENROL_REQUESTS, "code_id", optional=optional)


def m0013_frontiers(database: Database) -> None:
    # What HQ knew when, as it tells its terminals.
    for statement in oplog.CREATE:
        database.execute(statement)


def m0014_muster_letters(database: Database) -> None:
    # What a call-out's mail is to say to whom, until the mail server has it, and the secret of each answer link.
    optional = {"sent_at", "fault"}
    _table(database, "muster_letters", _MUSTER_LETTERS, "token", optional=optional)
    database.execute("CREATE UNIQUE INDEX muster_letters_once ON muster_letters (muster_id, person_id)")


STEPS = (
    m0001_the_log,
    m0002_local_tables,
    m0003_accounts,
    m0004_files_and_drafts,
    m0005_layers_in_use,
    m0006_one_table_of_the_log,
    m0008_tls_leaves,
    m0009_enrolment_extras,
    m0010_people,
    m0011_sealed,
    m0012_enrolment_requests,
    m0013_frontiers,
    m0014_muster_letters,
)
_APART = 1 << 20  # more than a run ever has operations
_OF_A_RUN = ("first", "head", "signature", "received_at", "via")


def _has_table(database: Database, name: str) -> bool:
    found = database.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None


_ENROL_CODES = {
    "code_id": bytes,  # hash of the secret, to name the row; never sent
    "secret": bytes,  # needed in clear to answer a proof; the store is encrypted
    "made_at": int,
    "expires_at": int,
    "used_at": int,
    "used_by": str,  # node id, hex
    "certificate": bytes,  # given again to the same device when the first answer was lost on the way
}

_ENROL_REQUESTS = {
    "code_id": bytes,
    "node_id": str,
    "transcript": bytes,  # what the device has said, of its newest request
    "share": bytes,  # of this side, for the digits
    "revealed": bytes,  # the device's share
    "asked_at": int,
    "expires_at": int,
    "approved": int,
    "decided_at": int,
    "decided_by": str,
}


_MUSTER_LETTERS = {
    "token": str,
    "muster_id": str,
    "person_id": str,
    "state": str,
    "made_at": int,
    "expires_at": int,
    "tries": int,
    "next_at": int,
    "sent_at": int,
    "fault": str,
}

_ENVELOPES = {
    "id": str,
    "title": str,
    "role": str,
    "made_at": int,
    "expires_at": int,
    "made_by": str,  # users.id
    "ended_at": int,
}


def _table(
    database: Database,
    name: str,
    columns: dict[str, type],
    key: str | tuple[str, ...],
    optional: frozenset[str] | set[str] = frozenset(),
) -> None:
    database.table(name).create(columns, pk=key, not_null=set(columns) - optional, strict=True)


def _add_projections(connection: Connection) -> None:
    # Not a numbered step: these tables are made from the kinds and can be rebuilt from the log.
    from app.records import KINDS

    connection.execute("BEGIN IMMEDIATE")
    try:
        built = meta.read_text(connection, "projector")
        if built is not None and built != str(KINDS.schema):  # `Node.open` fills them again from the log
            for table in (*(kind.table for kind in KINDS), tally.TABLE):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            search.drop(connection)
        for statement in create_statements(KINDS):
            connection.execute(statement)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
