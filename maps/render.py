"""Composes the map's skeleton with folium, once per state of the catalogue: the map, its layers, groups for markers.

Before: ``app/views/map.py`` says which layers are drawn and in which colours. After: the browser's modules
(``static/js/map``) fill the skeleton with tiles and markers, which are data and never go through folium: with features
in it a page was 1,640 kB and took 0.38 s to render, without them 85 kB and 0.04 s.
folium takes a second to import: ``app/skeletons.py`` calls ``skeleton`` in a child process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from maps import assets

NAME = "tomoshibi"
CONTAINER = f"map_{NAME}"  # as folium names its container
ZOOM_MIN, ZOOM_MAX = 5, 18
JAPAN = (122.9, 24.0, 146.0, 45.6)
CLUSTERED, GROUPS = ("patrols", "closures", "reports"), ("shelters",)
Box = tuple[float, float, float, float]  # west, south, east, north


@dataclass(frozen=True, slots=True)
class Drawn:
    """One layer as it is drawn: ``classes`` are value of ``by`` → (colour, hatch); tiles may be ``pictures``."""

    id: str
    kind: str
    tiles: str
    zooms: tuple[int, int]
    box: Box | None
    on: bool
    by: str = ""
    classes: Mapping[str, tuple[str, str]] | None = None
    pictures: bool = False


def version_of(layers: Sequence[Drawn], release: str) -> str:
    """What the skeleton's address carries: another value wherever another skeleton would be rendered."""
    told = json.dumps([asdict(layer) for layer in layers], sort_keys=True)
    return hashlib.sha256(f"{release}\n{told}".encode()).hexdigest()[:20]


def home_box(layers: Sequence[Drawn]) -> Box | None:
    """Where the map opens: the city's boundary, else everything that is known, else nowhere."""
    boundaries = [layer.box for layer in layers if layer.kind == "boundary" and layer.box]
    return boundaries[0] if boundaries else _around([layer.box for layer in layers if layer.box])


def skeleton(layers: Sequence[Drawn], vendor: assets.Vendor) -> assets.Parts:
    """The figure of these layers, taken apart. Slow at first: it imports folium."""
    import folium
    from branca.element import MacroElement
    from folium.plugins import MarkerCluster
    from jinja2 import Template

    west, south, east, north = home_box(layers) or JAPAN
    drawn = assets.local(_map(folium, ((south + north) / 2, (west + east) / 2)), vendor)

    class VectorTiles(folium.elements.JSCSSMixin, MacroElement):
        _template = Template("{% macro script(this, kwargs) %}window.tomoshibiMap = {{ this.handed }};{% endmacro %}")

    for name in (*CLUSTERED, *GROUPS):
        group: Any = folium.FeatureGroup(name)
        if name in CLUSTERED:
            group = MarkerCluster(name=name, icon_create_function=_CLUSTER_ICON, options=_CLUSTER)
        assets.local(group, vendor)
        group._id = name
        group.add_to(drawn)
    tiles = assets.local(VectorTiles(), vendor)
    tiles.handed = _handed(layers)
    tiles.add_to(drawn)
    return assets.split(drawn.get_root().render(), CONTAINER)


# Nothing on a map moves by itself (LOOK §7), and without the animations a zoom is drawn 40 ms earlier.
_CLUSTER: dict[str, Any] = {
    "maxClusterRadius": 80,
    "animate": False,
    "animateAddingMarkers": False,
    "chunkedLoading": True,
    "chunkInterval": 60,
    "chunkDelay": 10,
    "showCoverageOnHover": False,
    "spiderfyDistanceMultiplier": 2,
    "zoomToBoundsOnClick": True,
}
_CLUSTER_ICON = "function (cluster) { return window.tomoshibiMap.clusterIcon(cluster); }"


def _map(folium: Any, centre: tuple[float, float]) -> Any:
    drawn = folium.Map(
        location=centre,
        zoom_start=13,
        tiles=None,
        zoom_control=False,
        control_scale=False,
        attributionControl=False,
        minZoom=ZOOM_MIN,
        maxZoom=ZOOM_MAX,  # as an option of the map: without it the cluster throws where no tile layer names one
        zoomAnimation=False,
        fadeAnimation=False,
        markerZoomAnimation=False,
        tapTolerance=20,
    )
    drawn._id = NAME
    return drawn


def _handed(layers: Sequence[Drawn]) -> str:
    """What the modules are given, as an expression of JavaScript that no HTML reader can mistake for a tag."""
    told = {"layers": [asdict(layer) for layer in layers], "home": home_box(layers), "japan": JAPAN}
    text = json.dumps(told, ensure_ascii=True).replace("<", "\\u003c")
    groups = [f"{name}: marker_cluster_{name}" for name in CLUSTERED] + [
        f"{name}: feature_group_{name}" for name in GROUPS
    ]
    return f"Object.assign({text}, {{map: {CONTAINER}, {', '.join(groups)}}})"


def _around(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
