"""The machine of a node: store, replica, writer, links, and how they are joined; requests are `factory.py`'s.

Opened by a command (which holds the data folder's lock), started only by `serve`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app import beacon, digests
from app.audit import ReadAudit
from app.chronology import Chronology
from app.config import Settings
from app.damage import Watch
from app.effects import Changed, Effects
from app.layers import Layers
from app.mail.carrier import Carrier
from app.queries import log as log_queries
from app.read_marks import ReadMarks
from app.reading import Reading
from app.records import KINDS
from app.records.judge import judge
from app.replay.shelf import Shelf
from app.sealing import CLOSED, Sealing
from app.search import Follower
from app.store import engine, gone_back, identity, meta
from app.store.ballast import Ballast
from app.store.blobs import BlobFile, key_of
from app.store.engine import Connection
from app.store.errors import StoreError
from app.store.folder import DataFolder, Incarnation
from app.store.integrity import page_faults
from app.store.keys import NodeKeys
from app.store.migrations import migrate
from app.store.projection import SqlProjection, id_bytes
from app.store.salvaged_log import Waiting
from app.sync_links import Links
from app.threads import in_native_thread, native_thread_id, settle_native_threads
from app.tls import held
from app.tls.own import OwnTls
from app.version import VERSION
from sync import signing
from sync.authoring import Result
from sync.blobs import Blobs
from sync.certificate import Certificate
from sync.errors import WriterStopped
from sync.operation import Change
from sync.replica import Committed, Identity, Replica
from sync.signing import SigningKey
from sync.version_vector import Vector
from sync.writer import Writer

_STILL_FAILING: tuple[type[Exception], ...] = (StoreError, OSError, *engine.DATABASE_ERRORS)
log = logging.getLogger(__name__)


class Node(Reading):
    def __init__(self, folder: DataFolder, keys: NodeKeys, settings: Settings, connection: Connection) -> None:
        self.folder, self.keys, self.settings = folder, keys, settings
        self.kinds = KINDS
        self._readers: dict[int, Connection] = {}
        self._offset_ms = 0
        self.name = meta.read_text(connection, "name") or ""
        self.role = meta.read_text(connection, "role") or "terminal"
        self._ballast = Ballast(folder.ballast, settings.ballast_mb)
        self.replica = Replica(
            connection, KINDS, judge, SqlProjection(connection, KINDS), self._identity(connection), self.clock,
            os.urandom, self._note_incarnation, destroyed=folder.shredded_keys(),
            sealed_closed=bool(meta.read(connection, CLOSED)),
        )  # fmt: skip
        self._published = self.replica.published()
        self._effects = Effects(self.forget_reader)
        self._blob_file = BlobFile(folder.blobs, keys.data_key)
        self.blobs = self._blobs()
        self.writer = Writer(
            self.replica, run=in_native_thread, on_commit=self._committed, before_retry=self._free_space,
            after_failure=lambda: in_native_thread(self._renew_connection),
        )  # fmt: skip
        self.sealing = Sealing(self)
        self.read_audit = ReadAudit(self)
        self.tls = OwnTls(self, held.read(connection))
        self.links = Links(self)
        self.blobs.on_want = self.links.want
        self.layers = Layers(self)
        self.damage = Watch(self)
        self.mail = Carrier(self)
        self.chronology = Chronology(self)
        self.shelf = Shelf(self)
        self.search = Follower(self)
        self.read_marks = ReadMarks(self)
        self._salvaged = Waiting(connection, self.writer.submit)

    @staticmethod
    def open(folder: DataFolder, keys: NodeKeys, settings: Settings) -> Node:
        """Open the store. The caller holds the folder's lock.

        Raises StoreMissing, WrongKey, EngineTooOld, StoreCorrupt, StoreFull, StoreFailed.
        """
        engine.refuse_old_engine()
        with engine.saying_why(folder.database):
            connection = engine.open_connection(folder.database, keys.data_key)
            try:
                if meta.read_text(connection, "role") == "hub":
                    connection.execute(f"PRAGMA cache_size = {-engine.CACHE_KIB_HUB}")
                migrate(connection)
                node = Node(folder, keys, settings, connection)
            except BaseException:
                connection.close()
                raise
            try:
                node._begin_anew_where_rolled_back()
                node._rebuild_where_outdated()
                node.sealing.begin()
                identity.keep(folder.identity, keys.data_key, connection)
            except BaseException:
                node.close()
                raise
        node._effects.start(node.sealing.after_commit, node.mail.after_commit, node.links.after_commit)
        return node

    def start(self) -> None:
        """Begin to call the hub and to watch the links; only `serve` does."""
        self.sealing.settle()
        beacon.keep(self)
        self.links.start()
        self.layers.keep_warm()
        self.damage.start()
        self.mail.start()
        self.search.start()
        if self.is_hub:
            self.chronology.keep_ready()
        self.tls.start()

    def close(self) -> None:
        self.tls.stop()
        self.search.stop()
        self.chronology.stop()
        self.damage.stop()
        self.mail.stop()
        self.links.stop()
        self.writer.stop()
        self._effects.stop()
        settle_native_threads(within_s=5)
        self.shelf.close()
        self._blob_file.close()
        for connection in (*self._readers.values(), self.replica.connection):
            connection.close()
        self._readers.clear()

    # -- who and when ----------------------------------------------------------------------------

    def _identity(self, connection: Connection) -> Identity:
        key = SigningKey(self.keys.signing_seed)
        held = meta.read(connection, "certificate")
        certificate = Certificate.decode(bytes(held)) if held else None
        root = meta.read(connection, "root_public")
        return Identity(key, signing.node_id_of(key.public), root, certificate, self.keys.sealing_seed)

    @property
    def home(self) -> Path:
        return self.folder.path

    @property
    def node_id(self) -> str:
        return self.replica.identity.node_id.hex()

    @property
    def certificate(self) -> Certificate | None:
        return self.replica.identity.certificate

    @property
    def root_public(self) -> bytes | None:
        return self.replica.identity.root_public

    @property
    def enrolled(self) -> bool:
        return self.certificate is not None

    @property
    def label(self) -> str:
        return self.certificate.label if self.certificate else ""

    @property
    def is_hub(self) -> bool:
        return self.role == "hub"

    @property
    def hub_url(self) -> str | None:
        return self.settings.hub_url or meta.read_text(self.reader(), "hub_url")

    @property
    def hub_node(self) -> bytes | None:
        if self.is_hub:
            return self.replica.identity.node_id
        return meta.read(self.reader(), "hub_node")

    @staticmethod
    def wall() -> int:
        """This machine's clock, ms since 1970."""
        return time.time_ns() // 1_000_000

    def clock(self) -> int:
        """The time as corrected by the hub's, ms since 1970."""
        return self.wall() + self._offset_ms

    @property
    def clock_offset_ms(self) -> int:
        """The hub's clock minus this machine's; 0 where no hub was met."""
        return self._offset_ms

    def correct_clock(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms
        self.tls.keep_offset(offset_ms)

    # -- writing ---------------------------------------------------------------------------------

    def write(
        self, changes: Sequence[Change], author: str | None, local: Callable[[Connection], None] | None = None
    ) -> Result:
        """Write changes durably: all or none.

        Raises sync.errors: NotEnrolled, BadChange, StoreFull, StoreFailed, WriterBusy. ``local`` runs in the same
        transaction; what it raises undoes all.
        """
        who = id_bytes(author) if author else None

        def job(replica: Replica) -> Result:
            if local is not None:
                local(replica.connection)
            return replica.record(changes, who)

        result: Result = self.writer.call(job, len(changes))
        return result

    def local_write(self, change: Callable[[Connection], Any]) -> Any:
        """Change the local tables in the writer's transaction; returns what ``change`` returns."""
        return self.writer.call(lambda replica: change(replica.connection), 0)

    def revoke(self, node_id: str, accepted: Vector | None, reason: str = "", author: str | None = None) -> Result:
        """Revoke a device: of it only what ``accepted`` names counts (None: what is held here now)."""
        who = id_bytes(author) if author else None
        node = bytes.fromhex(node_id)
        result: Result = self.writer.call(lambda replica: replica.revoke(node, accepted, reason, who))
        self.links.drop(node, "revoked", "this device was revoked")
        return result

    def adopt_certificate(self, certificate: bytes, root_public: bytes, hub_url: str) -> None:
        """After enrolment: keep the certificate, and begin to call the hub where the node runs."""
        held = Certificate.decode(certificate)
        held.verify(root_public)
        issuer = held.issuer

        def job(replica: Replica) -> None:
            meta.write(replica.connection, "certificate", certificate)
            meta.write(replica.connection, "root_public", root_public)
            meta.write(replica.connection, "hub_url", hub_url)
            if issuer is not None:
                meta.write(replica.connection, "hub_node", issuer.node_id)
            was = replica.identity
            replica.identity = Identity(was.key, was.node_id, root_public, held, was.sealing)

        self.writer.call(job, 0)
        self.keep_identity()
        self.links.try_now()

    def keep_identity(self) -> None:
        """Once more beside the store, for the day on which the store cannot be read."""
        identity.keep(self.folder.identity, self.keys.data_key, self.reader())
        beacon.keep(self)

    def use_certificate(self, held: Certificate) -> None:
        """Go on with another certificate of this device: each stream carries it before what is written next."""
        held.verify(self.root_public or b"")

        def job(replica: Replica) -> None:
            meta.write(replica.connection, "certificate", held.encode())
            replica.identity = dataclasses.replace(replica.identity, certificate=held)

        self.writer.call(job, 0)
        self.keep_identity()

    def _blobs(self) -> Blobs:
        file = self._blob_file
        blobs = Blobs(
            file.connection, file.reader, node=self.replica.identity.node_id, now=self.wall, run=in_native_thread,
            before_retry=self._free_space, hub=lambda: self.hub_node, fault=file.fault,
            forget_reader=file.forget_reader,
        )  # fmt: skip
        blobs.on_whole = self._effects.moved
        blobs.on_holder = lambda name: self._effects.moved(name) if blobs.made_among([name]) else None
        return blobs

    def stores(self) -> tuple[tuple[Path, bytes], ...]:
        """The two databases with the keys that open them."""
        return (self.folder.database, self.keys.data_key), (self.folder.blobs, key_of(self.keys.data_key))

    def store_faults(self) -> list[str]:
        """What is wrong with the pages of the log's file, for doctor."""
        return list(in_native_thread(lambda: page_faults(self.folder.database, self.keys.data_key)))

    def blob_faults(self) -> list[str]:
        """What is wrong with the pages of `blobs.db`, for doctor."""
        return list(in_native_thread(self._blob_file.faults))

    def rebuild(self) -> int:
        """Throw the tables away and fold the log again. Returns the operations folded."""
        return int(in_native_thread(self.replica.rebuild))

    def _free_space(self) -> bool:
        """Give up the ballast, and fold both logs into their files while there is room for it.

        A save costs 80 KB of log until it is folded: the log alone took the whole ballast, after a hundred reports.
        """
        released = self._ballast.release()
        if released:
            with contextlib.suppress(WriterStopped):
                self.writer.submit(lambda replica: engine.keep_log_short(replica.connection), 0)
        folded = in_native_thread(lambda: [engine.fold_log(path, key) for path, key in self.stores()])
        return released or any(folded)

    def _renew_connection(self) -> None:
        """The engine refuses nearly all on a connection that could not read a page: one bad moment must not last."""
        old: Any = self.replica.connection
        try:
            connection = engine.open_connection(self.folder.database, self.keys.data_key)
            if self.is_hub:
                connection.execute(f"PRAGMA cache_size = {-engine.CACHE_KIB_HUB}")
            self.replica.connect(connection, SqlProjection(connection, KINDS))
        except _STILL_FAILING as error:  # whoever writes next is told so, and it is tried again
            log.warning("the store cannot be opened anew: %s", error)
        if self.replica.connection is not old:
            old.close()

    def _note_incarnation(self, incarnation: bytes, last: Vector) -> None:
        self.folder.note_incarnation(Incarnation(incarnation, last))

    def _begin_anew_where_rolled_back(self) -> None:
        """A store older than the file beside it is a restored copy: it must not use a number twice."""
        kept = self.folder.read_incarnation()
        if kept is None:
            return
        held = self.replica.vector
        missing = {stream: seq for stream, seq in kept.last.items() if seq > held.get(stream, 0)}
        if kept.id != self.replica.incarnation or missing:
            self.writer.call(lambda replica: replica.new_incarnation(), 0)
        if missing:
            log.warning("this store has gone back: %d own streams once went further", len(missing))
            self.local_write(lambda connection: gone_back.note(connection, missing))

    def missing_of_own(self) -> int:
        """How many operations that this node once wrote are not here: its store was put back, or its log damaged."""
        return gone_back.missing(self.reader(), self.replica.vector)

    def _rebuild_where_outdated(self) -> None:
        built = meta.read_text(self.replica.connection, "projector")
        if built != str(KINDS.schema):
            if built is not None:
                self.replica.rebuild()
            self.local_write(lambda connection: meta.write(connection, "projector", str(KINDS.schema)))

    # -- after the commit ------------------------------------------------------------------------

    def _committed(self, committed: Committed) -> None:
        self._published = committed
        if self._salvaged and self.root_public is not None:
            self._salvaged.look(committed.ends)
        self._effects.committed(committed)

    def published(self) -> Committed:
        return self._published

    def subscribe(self, callback: Callable[[Changed], None]) -> None:
        """Be told after each commit what changed: [(kind, scope, record id)]; empty where only the links changed."""
        self._effects.subscribe(callback)

    def tell_changed(self, changed: Changed) -> None:
        """What is of this node alone has changed, beside these records: pages that show them ask again."""
        self._effects.tell(changed)

    def tell_links_changed(self) -> None:
        self._effects.tell([])

    # -- reading ---------------------------------------------------------------------------------

    def reader(self) -> Connection:
        """A connection to read with, one a native thread. Queries take it as their first argument."""
        thread = native_thread_id()
        found = self._readers.get(thread)
        if found is None:
            found = engine.open_connection(self.folder.database, self.keys.data_key, readonly=True)
            self._readers[thread] = found
        return found

    def forget_reader(self) -> None:
        """After a page could not be read: the engine refuses nearly all else on a connection that met one."""
        self._readers.pop(native_thread_id(), None)

    def digest(self) -> dict[str, Any]:
        """Recomputed from the tables: {schema, public, scopes}."""
        return dict(in_native_thread(lambda: digests.recomputed(self.reader())))

    def peers(self) -> list[dict[str, Any]]:
        return self.links.peers()

    def try_now(self) -> None:
        self.links.try_now()

    def status(self) -> dict[str, Any]:
        """What GET /api/v1/status shows."""
        from app.queries import conflicts

        db = self.reader()
        return {
            "node_id": self.node_id,
            "name": self.name,
            "role": self.role,
            "label": self.label,
            "enrolled": self.enrolled,
            "hub": self.links.hub(),
            "locked": self.links.locked_terminals(),
            "unsent": self.unsent(),
            "vector": {stream.hex(): seq for stream, seq in sorted(self._published.vector.items())},
            "digest": digests.kept(db),
            "conflicts": conflicts.counted(db),
            "quarantined": log_queries.counted(db, "quarantine"),
            "awaited": log_queries.counted(db, "awaited"),
            "forks": log_queries.counted(db, "branch"),
            "blobs": self.links.wishes.status(),
            "damage": self.damage.found or None,
            "clock_offset_ms": self._offset_ms,
            "version": VERSION,
            "schema": KINDS.schema,
        }
