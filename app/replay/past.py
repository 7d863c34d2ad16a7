"""A node as it, or HQ, was at a time: it is asked as a node is, and takes nothing.

The log is folded anew up to a frontier (``sync/refold``) into a temporary encrypted database that is laid over the
store. Before: ``shelf`` has one made. After: the views, which find it in the node's place.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from app.chronology import Chronology
from app.errors import Conflict
from app.reading import Reading
from app.records import KINDS
from app.records.judge import judge
from app.store import laid_over, search
from app.store.engine import Connection
from app.store.projection import SqlProjection
from app.store.schema import create_statements
from app.threads import native_thread_id
from sync import refold
from sync.frontiers import Frontier

Whose = Literal["node", "hub"]


@dataclass(frozen=True, slots=True)
class View:
    """What is replayed: when, and whose knowledge."""

    at: int  # ms since 1970
    of: Whose = "node"


class Past(Reading):
    """Everything that is not told here is the node's own: its name, its layers, its files."""

    def __init__(
        self, node: Any, view: View, frontier: Mapping[int, int], missing: int = 0, base: Past | None = None
    ) -> None:
        self.present, self.view = node, view
        self.frontier: Frontier = dict(frontier)
        self.operations = sum(frontier.values())
        self.missing = missing  # what HQ knew then and is not here now
        self._words_folded = False
        self._readers: _Readers = _Readers(node, view, base._readers if base is not None else None)
        self._discard = weakref.finalize(self, self._readers.discard)
        self._fold(new=base is None)
        self.chronology = Chronology(self._readers)  # not of the whole: nothing must point back, or it lives on

    def __getattr__(self, name: str) -> Any:
        return getattr(self.present, name)

    # -- what differs from the node ----------------------------------------------------------------

    def reader(self) -> Connection:
        """A connection to read with, one a native thread: tables and log as they were."""
        return self._readers.reader()

    def clock(self) -> int:
        """The time that is shown: how old something is, is told as of then."""
        return self.view.at

    @property
    def hub_node(self) -> bytes | None:
        found: bytes | None = self.present.hub_node
        return found

    @property
    def is_hub(self) -> bool:
        return bool(self.present.is_hub)

    def write(self, *_: Any) -> NoReturn:
        raise refusal()

    def local_write(self, *_: Any) -> NoReturn:
        raise refusal()

    def fold_words(self) -> None:
        """Before words are looked for: their index is made when somebody asks, for few do."""
        if self._words_folded:
            return
        connection = self._readers.create(new=False)
        try:
            connection.execute("BEGIN")
            while search.fold(connection):
                pass
            connection.execute("COMMIT")
        finally:
            connection.close()
        self._words_folded = True

    def close(self) -> None:
        self._discard()

    # -- making it -----------------------------------------------------------------------------------

    def _fold(self, *, new: bool) -> None:
        connection = self._readers.create(new=new)
        try:
            connection.execute("BEGIN")
            for statement in (*create_statements(KINDS), *refold.create_statements()) if new else ():
                connection.execute(statement)
            refold.set_cut(connection, self.frontier)
            refold.lay_over(connection, laid_over.LOG, self.view.at)
            projection = SqlProjection(connection, KINDS, written=set() if new else None)
            refold.fold(connection, KINDS, judge, projection, self.present.replica.identity.node_id)
            connection.execute("COMMIT")
        finally:
            connection.close()


class _Readers:
    """The temporary database and who reads in it."""

    def __init__(self, node: Any, view: View, base: _Readers | None) -> None:
        self._path, self._at = laid_over.new_path(node.home), view.at
        self._key: bytes = os.urandom(32) if base is None else base._key
        if base is not None:
            laid_over.copy(base._path, self._path)
        self._store = node.folder.database, node.keys.data_key
        self._open: dict[int, Connection] = {}

    def create(self, *, new: bool = True) -> Connection:
        """A connection that writes."""
        return laid_over.create(self._path, self._key, *self._store, new=new)

    def reader(self) -> Connection:
        thread = native_thread_id()
        found = self._open.get(thread)
        if found is None:
            found = laid_over.open_again(self._path, self._key, *self._store)
            refold.lay_over(found, laid_over.LOG, self._at)
            found.execute("PRAGMA query_only = ON")
            self._open[thread] = found
        return found

    def discard(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        laid_over.remove(self._path)


def refusal() -> Conflict:
    hint = "Go back to the present, and write there."
    return Conflict("replaying", "Nothing can be written while an earlier time is shown.", hint)
