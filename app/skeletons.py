"""The map's skeletons: composed once per state of the catalogue, in a child process, before somebody waits for one.

Before: ``views/map.py`` says what is drawn. After: its routes serve the parts. To import folium takes a second of
processor time, in which the node would answer nobody; so a child does it, soon after the start and after each change
of the layers, and the node's store remembers the newest, for the first page after the next start.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app import child
from app.errors import AppError
from app.records import CITY
from app.store import meta
from maps import assets, render
from sync.errors import StoreFailed, StoreFull, WriterBusy

log = logging.getLogger(__name__)

KEPT = "map_skeleton"
KNOWN_MAX = 4
SOON_S = 0.5  # the page of whoever opens the node first goes before
MEMORY_MB, CPU_S, WALL_S = 2_048, 60, 60.0
CHANGES_THAT_MATTER = frozenset({"layers", "blobs"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one skeleton is made of: the layers as they are drawn, and where each file of a package lies."""

    version: str
    layers: Sequence[render.Drawn]
    addresses: Mapping[str, str]


class Skeletons:
    """The newest skeletons. Thread-safe; one at a time is composed."""

    def __init__(self, node: Any, wanted: Callable[[], Wanted]) -> None:
        self._node, self._wanted = node, wanted
        self._lock = threading.Lock()
        self._known: dict[str, assets.Parts] = {}

    def of(self, wanted: Wanted) -> assets.Parts:
        """The parts of this skeleton; composes them where nobody did before. Raises AppError."""
        known = self._known.get(wanted.version)
        if known is not None:
            return known
        with self._lock:
            found = self._known.get(wanted.version) or self._remembered(wanted.version)
            if found is None:
                found = _composed(wanted)
                self._remember(wanted.version, found)
            while len(self._known) >= KNOWN_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[wanted.version] = found
            return found

    def keep_ready(self) -> None:
        """Compose before somebody asks: soon, and whenever other layers come into use (`serve`)."""
        self._node.subscribe(self._changed)
        self._soon()

    def _changed(self, changed: list[tuple[str, bytes, str]]) -> None:
        if any(kind in CHANGES_THAT_MATTER and scope == CITY for kind, scope, _ in changed):
            self._soon()

    def _soon(self) -> None:
        timer = threading.Timer(SOON_S, self._ahead)
        timer.daemon = True
        timer.start()

    def _ahead(self) -> None:
        try:
            self.of(self._wanted())
        except Exception:  # the edge of a timer: whoever opens the map composes anew, and is told
            log.info("the map's skeleton was not composed ahead", exc_info=True)

    def _remembered(self, version: str) -> assets.Parts | None:
        text = meta.read_text(self._node.reader(), KEPT)
        kept = json.loads(text) if text else {}
        return _parts(kept["parts"]) if kept.get("version") == version else None

    def _remember(self, version: str, parts: assets.Parts) -> None:
        text = json.dumps({"version": version, "parts": asdict(parts)})
        # A full disk must not take the map away: the next start composes again.
        with contextlib.suppress(StoreFull, StoreFailed, WriterBusy):
            self._node.local_write(lambda connection: meta.write(connection, KEPT, text))


def _composed(wanted: Wanted) -> assets.Parts:
    asked = {"layers": [asdict(layer) for layer in wanted.layers], "addresses": dict(wanted.addresses)}
    return _parts(child.run("app.skeletons", asked, memory_mb=MEMORY_MB, cpu_s=CPU_S, wall_s=WALL_S))


def _parts(told: Mapping[str, Any]) -> assets.Parts:
    return assets.Parts(**{**told, "scripts": tuple(told["scripts"]), "styles": tuple(told["styles"])})


def _compose(asked: dict[str, Any], on_progress: child.Progress) -> dict[str, Any]:
    """In the child."""
    # folium looks for pandas and does without it; to load it takes half of the second.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    layers = [render.Drawn(**layer) for layer in asked["layers"]]
    try:
        return asdict(render.skeleton(layers, asked["addresses"].__getitem__))
    except Exception as error:  # the edge of the child: the person needs a sentence
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise AppError("map_not_composed", f"The map could not be composed ({told})", "Run `doctor`.") from error


if __name__ == "__main__":
    child.serve(_compose)
