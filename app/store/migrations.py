"""The shape of a store, release by release. Migrations only add; the projection tables follow the kinds.

The local tables belong to this node: they are in no digest, on no link, and `rebuild` leaves them alone.
"""

from __future__ import annotations

from app.store.engine import Connection  # first: it tells sqlite-utils which engine's errors to catch

# isort: split
from sqlite_utils import Database, Migrations

from app.store.errors import NewerStore
from app.store.schema import create_statements
from sync import oplog

migrations = Migrations("tomoshibi")


def migrate(connection: Connection) -> None:
    """Bring a store to this release's shape; safe to run at every start. Raises NewerStore."""
    database = Database(connection)
    known = {migration.name for migration in migrations._migrations}
    newer = [applied.name for applied in migrations.applied(database) if applied.name not in known]
    if newer:
        raise NewerStore(f"the store has steps that this release does not know: {', '.join(newer)}")
    migrations.apply(database)
    _add_projections(connection)


@migrations()
def m0001_the_log(database: Database) -> None:
    for statement in oplog.CREATE:
        database.execute(statement)


@migrations()
def m0002_local_tables(database: Database) -> None:
    _table(database, "meta", {"key": str, "value": bytes}, "key")
    _table(database, "settings", {"key": str, "value": str}, "key")
    _table(database, "enrol_codes", _ENROL_CODES, "code_id", optional={"used_at", "used_by", "certificate"})


@migrations()
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


_ENROL_CODES = {
    "code_id": bytes,  # hash of the secret, to name the row; never sent
    "secret": bytes,  # needed in clear to answer a proof; the store is encrypted
    "made_at": int,
    "expires_at": int,
    "used_at": int,
    "used_by": str,  # node id, hex
    "certificate": bytes,  # given again to the same device when the first answer was lost on the way
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
        for statement in create_statements(KINDS):
            connection.execute(statement)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
