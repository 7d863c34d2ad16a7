"""How long a prefecture's layer takes to come in (50,000 polygons of 60 vertices), what memory, and a city's tiles.

Run as a module it only draws the file: the memory of the process that draws must not count as the importer's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import hazard_data
from app.bench import emit, stage
from app.imports.run import made

POLYGONS, VERTICES = 50_000, 60
WEST, SOUTH, WIDTH, HEIGHT = 138.8, 35.7, 1.1, 0.6  # as large as 埼玉県
RADIUS_DEGREES = 0.0016
FORMS = ("gpkg", "geojson")


def run() -> None:
    with stage.folder() as folder:
        for form in FORMS:
            path = folder / f"prefecture.{form}"
            subprocess.run([sys.executable, "-m", __name__, str(path)], check=True)
            began = time.monotonic()
            with made("hazard", path, {}, tiles=False) as result:
                emit("import", f"{form}_50000", time.monotonic() - began, "s")
                assert result["report"]["accepted"] == POLYGONS
            peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            emit("import", f"{form}_50000_peak", peak_kib / 1024, "MiB")
    city = Path(hazard_data.__file__).with_name("flood_depth.geojson")
    for tiles in (False, True):
        began = time.monotonic()
        with made("hazard", city, {}, tiles=tiles):
            emit("import", "city_with_tiles" if tiles else "city", time.monotonic() - began, "s")


def draw(path: Path) -> None:
    """Ragged rings of one class each, the same for every run."""
    import numpy as np
    import pyogrio
    import shapely

    chance = np.random.default_rng(1)
    middle = chance.uniform((WEST, SOUTH), (WEST + WIDTH, SOUTH + HEIGHT), (POLYGONS, 2))
    angle = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    radius = RADIUS_DEGREES * chance.uniform(0.5, 1.0, (POLYGONS, VERTICES))
    points = middle[:, None, :] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    rank = chance.integers(1, 7, POLYGONS).astype(np.int32)
    pyogrio.raw.write(
        path, shapely.to_wkb(shapely.polygons(points)), [rank], ["A31b_201"],
        driver={"gpkg": "GPKG", "geojson": "GeoJSON"}[path.suffix[1:]], geometry_type="Polygon", crs="EPSG:6668",
    )  # fmt: skip


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
