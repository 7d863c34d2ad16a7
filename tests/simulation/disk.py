"""The disk of a simulated node: the engine's tables in memory, copied from a template, with faults at its commits.

A crash is no exception that the engine could catch: it is raised above ``Exception`` and takes the process with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sqlcipher3
from sqlcipher3.dbapi2 import Connection

from app.records import KINDS, SCHEMA
from app.store import meta
from app.store.migrations import migrate
from app.store.schema import create_statements
from sync.kinds import Kinds
from tests.simulation.release import OLDER

_execute = Connection.execute
PAGE_BYTES = 1024  # small: a node's tables are some kilobytes, and a copy is made for each
PAGES_MAX = 1 << 30


class Crash(BaseException):
    """The process of a node ended here."""


class Disk(Connection):  # type: ignore[misc]
    """A connection that can die at a commit. What was committed before stays, whatever happens."""

    plan: str | None = None  # of the next commit: before, after, torn, error
    on_durable: Callable[[], None] = staticmethod(lambda: None)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql == "COMMIT":
            return self._commit()
        return _execute(self, sql, *parameters)

    def _commit(self) -> Any:
        plan, self.plan = self.plan, None
        if plan == "error":
            raise sqlcipher3.OperationalError("disk I/O error")
        if plan in ("before", "torn"):  # what is not whole in the journal never was
            _execute(self, "ROLLBACK")
            raise Crash(plan)
        done = _execute(self, "COMMIT")
        self.on_durable()
        if plan == "after":
            raise Crash(plan)
        return done

    def fill(self, spare_pages: int) -> None:
        """From now on the tables may grow by so many pages."""
        (used,) = _execute(self, "PRAGMA page_count").fetchone()
        _execute(self, f"PRAGMA max_page_count = {used + spare_pages}")

    def free(self) -> None:
        _execute(self, f"PRAGMA max_page_count = {PAGES_MAX}")

    def copy(self) -> Disk:
        return copy_of(self)


def copy_of(source: Connection) -> Disk:
    disk: Disk = sqlcipher3.connect(":memory:", isolation_level=None, factory=Disk, cached_statements=1_000)
    source.backup(disk)
    return disk


@functools.cache
def empty(release: str = "this") -> Disk:
    """A store as a release makes it; copied, never used itself."""
    disk: Disk = sqlcipher3.connect(":memory:", isolation_level=None, factory=Disk, cached_statements=1_000)
    disk.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    migrate(disk)
    meta.write(disk, "projector", str(SCHEMA))
    if release == "older":
        _make_older(disk, OLDER)
    return disk


def _make_older(disk: Disk, kinds: Kinds) -> None:
    for kind in KINDS:
        disk.execute(f"DROP TABLE {kind.table}")
    for statement in create_statements(kinds):
        disk.execute(statement)
    meta.write(disk, "projector", str(kinds.schema))
