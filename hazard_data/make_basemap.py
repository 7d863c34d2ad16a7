"""Writes `basemap.pmtiles` from the city's own layers: `python -m hazard_data.make_basemap [--out FILE] [--check]`.

Vector tiles of boundary, districts with their names, rivers, roads and the railway, zoom 8 to 15. `make_city` writes
what is read here. The bytes depend on the release of GDAL that writes them, so --check compares the tiles there are
and what is said of them, not the bytes; one release gives the same bytes every time.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import shapely

from maps.importers import basemap, vector
from maps.importers.files import Dataset
from maps.tiles import make, packages

HERE = Path(__file__).parent
FILE = HERE / "basemap.pmtiles"
LAYERS = ("boundary.geojson", "river.geojson", "roads.geojson")
BYTES_MAX = 500_000


def main() -> int:
    """Write the package, or with --check hold it against a fresh one."""
    parser = argparse.ArgumentParser(description="Make the basemap of the invented training city 葦原市.")
    parser.add_argument("--out", type=Path, default=FILE, help="file to write (default: beside this script)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the package holds other tiles")
    options = parser.parse_args()
    if not options.check:
        options.out.unlink(missing_ok=True)
        write(options.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / FILE.name
        write(fresh)
        same = packages.tested(fresh, fresh.name) == packages.tested(options.out, options.out.name)
    if not same:
        print(f"{options.out.name} holds other tiles; run: python -m hazard_data.make_basemap", file=sys.stderr)
    return 0 if same else 1


def write(path: Path) -> None:
    """Make the package."""
    read = [features for name in LAYERS for features in vector.read(Dataset(HERE / name, name))]
    source = basemap.source(read, Dataset(FILE, FILE.name))
    points, names = labels()
    columns = {
        "kind": np.append(source.columns["kind"], ["place"] * len(points)),
        "class": np.append(source.columns["class"], [""] * len(points)),
        "name": np.append(source.columns["name"], names),
    }
    geometry = np.append(source.geometry, shapely.points(points))
    make.write(path, geometry, columns, (make.ZOOM_MIN_BASEMAP, make.ZOOM_MAX))
    assert path.stat().st_size <= BYTES_MAX, "the embedded basemap has grown beyond its bound"


def labels() -> tuple[list[list[float]], list[str]]:
    """Where the name of each district is written."""
    found = [feature["properties"] for feature in json.loads((HERE / LAYERS[0]).read_text("utf-8"))["features"]]
    districts = [properties for properties in found if properties["kind"] == "district"]
    return [district["label"] for district in districts], [district["name"] for district in districts]


if __name__ == "__main__":
    sys.exit(main())
