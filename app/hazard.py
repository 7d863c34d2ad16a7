"""What the layers in use say of a position, and of a shelter: the answers of every page, of the map and of the API.

Before: ``layers.Layers`` knows which layers are here. After: ``api/hazard.py`` and ``views/hazard.py`` show it. A layer
is read when it is first asked, in a native thread (0.5 s for a city), and kept while it is in use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app import catalog
from app.threads import in_native_thread
from maps.verdict import Verdict, verdict_of_site

if TYPE_CHECKING:
    from app.layers import LayerInUse
    from maps.hazard import HazardAnswer, HazardClass, HazardLayer

ANSWERS_MAX = 5_000
SITE_EDGE_M = 15.0  # a building is no point: the worst within this of its position counts
FLOOD, DURATION, COLLAPSE, LANDSLIDE = "flood", "duration", "collapse", "landslide"
LAYER_KINDS = {"flood_depth": FLOOD, "flood_duration": DURATION, "collapse_zone": COLLAPSE, "landslide": LANDSLIDE}
PARTS = (FLOOD, DURATION, COLLAPSE, LANDSLIDE)

Part = dict[str, Any]


class HazardAnswers:
    """Answers from the layers that ``in_use`` gives; ``version`` changes with them."""

    def __init__(self, node: Any, in_use: Callable[[], Sequence[LayerInUse]], version: Callable[[], str]) -> None:
        self._node, self._in_use, self._version = node, in_use, version
        self._lock = threading.Lock()
        self._loaded: dict[str, HazardLayer | None] = {}
        self._answers: dict[tuple[float, float, float | None], dict[str, Part | None]] = {}
        self._answered_for = ""

    def at(self, lon: float, lat: float, accuracy_m: float | None = None) -> dict[str, Any]:
        """{flood, duration, collapse, landslide}; a part is None where this node has no layer of it."""
        version = self._version()
        if version != self._answered_for or len(self._answers) >= ANSWERS_MAX:
            self._answers, self._answered_for = {}, version
        asked = (lon, lat, accuracy_m)
        answers = self._answers
        if asked not in answers:
            layers = self._in_use()
            answers[asked] = {part: self._part(part, layers, *asked) for part in PARTS}
        return dict(answers[asked])

    def warm(self) -> None:
        """Read the layers in use before somebody waits for them."""
        for layer in self._in_use():
            if layer.kind in LAYER_KINDS:
                self._layer(layer)

    def unreadable(self) -> list[LayerInUse]:
        """The hazard layers in use whose parts cannot be read: they answer nothing."""
        return [layer for layer in self._in_use() if layer.kind in LAYER_KINDS and self._layer(layer) is None]

    # -- below -----------------------------------------------------------------------------------

    def _part(
        self, part: str, layers: Sequence[LayerInUse], lon: float, lat: float, accuracy_m: float | None
    ) -> Part | None:
        answers: list[tuple[LayerInUse, HazardAnswer]] = []
        for layer in _of_worst_scenario([one for one in layers if LAYER_KINDS.get(one.kind) == part]):
            read = self._layer(layer)
            if read is not None:
                answers.append((layer, read.depth_at(lon, lat, accuracy_m)))
        if not answers:
            return None
        from maps.hazard import merge  # here already: a layer was read, in a native thread, which takes 0.4 s

        merged = merge([answer for _, answer in answers])
        # The layer that is named: whose answer counts; where none does, the first.
        named = max(answers, key=lambda one: one[1].worst.severity if one[1].worst else ())[0]
        return _told(part, merged, named)

    def _layer(self, layer: LayerInUse) -> HazardLayer | None:
        file = layer.files.get("parts")
        if file is None:
            return None
        sha256 = file[0]
        if sha256 not in self._loaded:
            with self._lock:
                if sha256 not in self._loaded:
                    loaded = in_native_thread(lambda: self._read(sha256, layer.kind))
                    wanted = {one.files["parts"][0] for one in self._in_use() if "parts" in one.files}
                    kept = {known: read for known, read in self._loaded.items() if known in wanted}
                    self._loaded = {**kept, sha256: loaded}
        return self._loaded.get(sha256)

    def _read(self, sha256: str, kind: str) -> HazardLayer | None:
        from maps.errors import BadFile
        from maps.hazard import HazardLayer

        tables = {"flood_depth": catalog.depth, "flood_duration": catalog.durations}
        table = tables[kind]() if kind in tables else None
        try:
            return HazardLayer.load(self._node.blobs.read(sha256), table)
        except BadFile:
            return None  # `doctor` says which


def verdict_of(answers: Mapping[str, Any], shelter: Mapping[str, Any] | Any) -> Verdict:
    """Which floors of a shelter stay usable, from the answer at its position (None: no position, no layer)."""
    flood, collapse = answers.get(FLOOD), answers.get(COLLAPSE)
    return verdict_of_site(
        assessed=bool(flood and flood["quality"] not in ("outside", "hole")),
        rank=flood["rank"] if flood else None,
        high_m=flood["max_m"] if flood else None,
        eroding=bool(collapse and "erosion" in collapse["kinds"]),
        floors=shelter["usable_floors"],
        capacity_by_floor=shelter["capacity_by_floor"],
    )


def _of_worst_scenario(layers: list[LayerInUse]) -> list[LayerInUse]:
    """The plan's scenario is asked only where nothing worse is known."""
    return [layer for layer in layers if layer.scenario != "plan"] or layers


def _told(part: str, answer: HazardAnswer, layer: LayerInUse) -> Part:
    """A part of the answer as the API shows it."""
    said: Part = {}
    if part in (FLOOD, DURATION):
        unit = "m" if part == FLOOD else "h"
        said = _class_told(answer.worst, unit)
        said["ranks"] = [_class_told(one, unit) for one in answer.classes]
    else:
        said["kinds"] = list(answer.codes)
        said["label"] = answer.worst.label if answer.worst else None
        said["near"] = sorted({one.code for one in answer.classes if one is not None and one.code})
    said["rivers"], said["quality"] = list(answer.rivers), answer.quality
    said |= {"layer": layer.id, "title": layer.title, "scenario": layer.scenario}
    said |= {"data_date": layer.data_date, "source": layer.source, "drill": layer.drill}
    return said


def _class_told(one: HazardClass | None, unit: str) -> Part:
    if one is None:
        return {"rank": None, f"min_{unit}": None, f"max_{unit}": None, "label": None}
    return {"rank": one.rank, f"min_{unit}": one.low, f"max_{unit}": one.high, "label": one.label or None}
