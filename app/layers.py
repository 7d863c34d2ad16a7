"""The layers of the map that this node can use: of each key the newest whose files are all here, till then the older.

Before: ``import`` publishes a prepared layer; the catalogue travels as operations, its files as blobs. After: the map
draws ``in_use``, and pages, API and verdicts ask ``hazard_at``. Which layer is in use is this node's own fact, in the
local table ``layers_in_use``. A catalogue entry of a newer release, or one that cannot be read, is told, never raised.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from app.errors import CommandFailed
from app.hazard import HazardAnswers
from app.queries import layers as queries
from app.queries.layers import CatalogueEntry
from app.records import CITY
from app.records import layers as records
from sync.errors import StoreFailed, StoreFull, WriterBusy

if TYPE_CHECKING:
    from maps.layers import Prepared

WARM_AFTER_START_S = 3.0  # not while the node starts: its first pages come before
CHANGES_THAT_MATTER = frozenset({"layers", "blobs"})


@dataclass(frozen=True, slots=True)
class LayerInUse:
    """A layer that pages draw and that answers are given from. ``complete``: the catalogue knows no newer one."""

    id: str
    key: str
    kind: str
    title: str
    scenario: str | None
    rivers: tuple[str, ...]
    source: str | None
    credit: str | None
    licence: str | None
    data_date: str | None
    bbox: tuple[float, float, float, float] | None
    zooms: tuple[int, int] | None
    default_on: bool
    drill: bool
    imported_at: int | None
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class MissingLayer:
    """A catalogue entry that cannot be used yet: bytes of it that are here, or the fault that makes it unreadable."""

    id: str
    key: str
    title: str
    kind: str
    have: int
    size: int
    files_here: int
    files: int
    fault: str | None = None

    @property
    def share(self) -> float:
        return self.have / self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class _Known:
    """One look at the catalogue and at what is here."""

    version: str
    in_use: tuple[LayerInUse, ...]
    missing: tuple[MissingLayer, ...]


class Layers:
    """What the node can draw and answer from. Thread-safe; every method may be called from any greenlet."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._lock = threading.RLock()
        self._known: _Known | None = None
        self._warm = False
        self._answers = HazardAnswers(node, self.in_use, lambda: self.version)
        node.subscribe(self._changed)

    @property
    def version(self) -> str:
        """Another value when other layers are in use: the cache key of what is made of them."""
        return self._look().version

    def in_use(self) -> list[LayerInUse]:
        return list(self._look().in_use)

    def missing(self) -> list[MissingLayer]:
        """Entries of the catalogue whose files are not all here, with how much is, and those that cannot be read."""
        return list(self._look().missing)

    def hazard_at(self, lon: float, lat: float, accuracy_m: float | None = None) -> dict[str, Any]:
        """{flood, duration, collapse, landslide}; a part is None where this node has no layer of it."""
        return self._answers.at(lon, lat, accuracy_m)

    def keep_warm(self) -> None:
        """Read hazard layers before somebody waits for them: soon, and whenever others come into use (`serve`)."""
        self._warm = True
        self._read_soon(WARM_AFTER_START_S)

    def _read_soon(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._read_ahead)
        timer.daemon = True
        timer.start()

    def _read_ahead(self) -> None:
        # Whoever asks next reads for himself, and is told what was wrong; the node may also be closing.
        with contextlib.suppress(Exception):
            self._answers.warm()

    def unreadable(self) -> list[LayerInUse]:
        """The hazard layers in use whose file came whole and still cannot be read."""
        return self._answers.unreadable()

    def publish(self, prepared: Prepared, author: str | None) -> str:
        """Put a prepared layer into the catalogue; returns its record's id. The same layer again writes nothing.

        Raises CommandFailed (a file changed since it was prepared) and what ``blobs`` and ``node.write`` raise.
        """
        files = [self._put(file) for file in prepared.files]
        change = records.imported({**prepared.fields, "files": files})
        record_id = str(uuid.UUID(bytes=change.record))
        known = queries.get(self._node.reader(), record_id)
        if known is None or any(known[name] != value for name, value in change.fields.items() if name != "imported_at"):
            self._node.write([change], author)
        self.refresh()
        return record_id

    def refresh(self) -> None:
        """Look again at the catalogue and at what is here."""
        with self._lock:
            self._known = None
        self._look()

    # -- below -----------------------------------------------------------------------------------

    def _put(self, file: Any) -> dict[str, Any]:
        sha256 = self._node.blobs.put_file(file.path, file.media_type)
        if sha256 != file.sha256:
            raise CommandFailed(
                "layer_file_changed", f"the file {file.role} changed while it was read", "Import the layer again."
            )
        return {"role": file.role, "sha256": sha256, "size": file.size, "media_type": file.media_type}

    def _changed(self, changed: list[tuple[str, bytes, str]]) -> None:
        kinds = {kind for kind, scope, _ in changed if scope == CITY}
        if not kinds & CHANGES_THAT_MATTER:
            return
        before = self._known
        if kinds == {"blobs"} and before is not None and not before.missing:
            return  # a photo came; no layer waits for a file
        self.refresh()
        if self._warm:
            self._read_soon(0)

    def _look(self) -> _Known:
        known = self._known
        if known is not None:
            return known
        with self._lock:
            if self._known is None:
                self._known = self._looked()
            return self._known

    def _looked(self) -> _Known:
        db = self._node.reader()
        entries, faults = queries.catalogue(db)
        kept = queries.in_use(db)
        in_use: list[LayerInUse] = []
        missing = [_unreadable(fault) for fault in faults]
        newer: list[CatalogueEntry] = []
        for entry in entries:
            old = kept.get(entry.id)
            if self._whole(entry):
                in_use.append(_in_use(entry, complete=True))
                if old != entry:
                    newer.append(entry)
                continue
            missing.append(self._progress(entry))
            if old is not None and self._whole(old):
                in_use.append(_in_use(old, complete=False))
        unreadable = {fault.id for fault in faults}
        in_use += [_in_use(old, complete=False) for old in kept.values() if old.id in unreadable and self._whole(old)]
        self._keep(newer)
        return _Known(_version(in_use), tuple(in_use), tuple(missing))

    def _keep(self, entries: list[CatalogueEntry]) -> None:
        now = self._node.clock()
        # A full disk must not take the map away: what could not be kept is kept at the next look.
        with contextlib.suppress(StoreFull, StoreFailed, WriterBusy):
            if entries:
                self._node.local_write(lambda connection: queries.keep_in_use(connection, entries, now))

    def _whole(self, entry: CatalogueEntry) -> bool:
        return all(self._node.blobs.has(file.sha256) for file in entry.files)

    def _progress(self, entry: CatalogueEntry) -> MissingLayer:
        here = have = 0
        for file in entry.files:
            state = self._node.blobs.state(file.sha256)
            here += state.here
            have += file.size if state.here else min(state.have, file.size)
        size = sum(file.size for file in entry.files)
        return MissingLayer(
            entry.id, entry.key, entry.title, entry.layer_kind, have, size, here, len(entry.files)
        )  # fmt: skip


def _in_use(entry: CatalogueEntry, complete: bool) -> LayerInUse:
    return LayerInUse(
        id=entry.id, key=entry.key, kind=entry.layer_kind, title=entry.title, scenario=entry.scenario,
        rivers=entry.rivers, source=entry.source, credit=entry.credit, licence=entry.licence,
        data_date=entry.data_date, bbox=entry.bbox, zooms=entry.zooms, default_on=entry.default_on,
        drill=entry.drill, imported_at=entry.imported_at,
        files={file.role: (file.sha256, file.size) for file in entry.files}, complete=complete,
    )  # fmt: skip


def _unreadable(fault: queries.UnreadableEntry) -> MissingLayer:
    return MissingLayer(fault.id, fault.key, fault.title, fault.layer_kind, 0, 0, 0, 0, fault.problem)


def _version(in_use: list[LayerInUse]) -> str:
    told = json.dumps([asdict(layer) for layer in in_use], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
