"""Vector tiles of one layer, by GDAL's PMTiles writer: one file, one layer named ``TILE_LAYER``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maps.layers import TILE_ATTRIBUTES, TILE_LAYER

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

ZOOM_MAX = 15
ZOOM_MIN_BASEMAP, ZOOM_MIN_HAZARD = 8, 10
CITY_DEGREES = 0.5  # a larger layer stops at 14, where a tile is 2.4 km wide: each step down is four times the tiles
MARGIN_DEGREES = 0.02
# Of a tile. 68 kB was the largest of the real Toda layer; beyond this a tile is drawn coarser, never left out.
TILE_BYTES_MAX = 500_000

Bounds = tuple[float, float, float, float]


def zooms(bounds: Bounds, *, basemap: bool = False) -> tuple[int, int]:
    """The lowest and highest zoom for an extent."""
    extent = max(bounds[2] - bounds[0], bounds[3] - bounds[1], 1e-6)
    highest = ZOOM_MAX if extent <= CITY_DEGREES else ZOOM_MAX - 1
    # A layer wider than a tile of the usual lowest zoom begins lower, so that it can be seen whole.
    whole = max(4, math.floor(math.log2(360 / extent)) - 1)
    return min(ZOOM_MIN_BASEMAP if basemap else ZOOM_MIN_HAZARD, whole), highest


def write(
    path: Path, geometry: Array, columns: Mapping[str, Array], zoom: tuple[int, int], within: Bounds | None = None
) -> int:
    """Write the tiles of what lies ``within`` (and a margin); the bytes of the file."""
    import numpy as np
    import pyogrio
    import shapely

    if within is not None:
        west, south, east, north = within
        box = (west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES)
        near = np.flatnonzero(shapely.intersects(geometry, shapely.box(*box)))
        # On a plain rectangle clipping may leave odd rings where a line runs along its side; intersection does not.
        geometry = shapely.intersection(geometry[near], shapely.box(*box))
        columns = {name: values[near] for name, values in columns.items()}
    names = [name for name in TILE_ATTRIBUTES if name in columns]
    pyogrio.raw.write(
        path,
        shapely.to_wkb(geometry),
        [_without_nothing(columns[name]) for name in names],
        names,
        layer=TILE_LAYER,
        driver="PMTiles",
        geometry_type="Unknown",
        crs="EPSG:4326",
        dataset_options={
            "MINZOOM": zoom[0],
            "MAXZOOM": zoom[1],
            "NAME": TILE_LAYER,
            "MAX_SIZE": TILE_BYTES_MAX,
            "SIMPLIFICATION_MAX_ZOOM": 0,
        },
    )
    return path.stat().st_size


def _without_nothing(values: Array) -> Array:
    """An empty text is no attribute: absent, it costs no byte in a thousand tiles."""
    import numpy as np

    if values.dtype != object:
        return values
    return np.array([value or None for value in values], dtype=object)
