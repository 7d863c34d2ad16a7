"""Writes every file of this folder that holds data: `python -m hazard_data.make_city [--out DIR] [--check]`.

`ground` says what lies where, `mesh` cuts it into polygons, `shelter_list` and `road_list` hold the rest.
A run gives the same bytes every time.
"""

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from shapely import LineString
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from hazard_data import ground
from hazard_data.mesh import Corner, Cut, Mesh
from hazard_data.road_list import road_features
from hazard_data.shelter_list import shelter_rows
from hazard_data.staff_list import staff_csv

HERE = Path(__file__).parent
DATA_DATE = "2017-03-31"
SOURCE = "訓練用(架空)"
NOTE = {"note": SOURCE}
RIVER = "大葦川"
TRIBUTARY = "古葦川"
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6668"}}

DEPTH_RANKS: list[tuple[int, float, float]] = [(1, 0, 0.5), (2, 0.5, 3), (3, 3, 5), (4, 5, 10)]
DURATION_RANKS: list[tuple[int, float, float]] = [
    (1, 0, 12), (2, 12, 24), (3, 24, 72), (4, 72, 168), (5, 168, 336),
]  # fmt: skip
DURATION_DEPTH_MIN_M = 0.5

Feature = dict[str, Any]


class Layer(NamedTuple):
    """One file and what the manifest says of it."""

    file: str
    title: str
    kind: str
    rows: list[dict[str, Any]]


# The order of the values at each corner of the mesh, after x and y.
CITY, BANK, DEPTH, HOURS, FLOW, EROSION, FIRST_DISTRICT = range(2, 9)


def main() -> int:
    """Write the files, or with --check compare them with a fresh run."""
    parser = argparse.ArgumentParser(description="Draw the invented training city 葦原市.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    options = parser.parse_args()
    files = make_files()
    if not options.check:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (options.out / name).write_bytes(content)
        return 0
    stale = [name for name, content in files.items() if _read(options.out / name) != content]
    for name in stale:
        print(f"{name} differs from a fresh run; run: python -m hazard_data.make_city", file=sys.stderr)
    return 1 if stale else 0


def make_files() -> dict[str, bytes]:
    """Return the content of every data file by its name."""
    layers = make_layers()
    files = {layer.file: _content(layer) for layer in layers}
    return files | {"manifest.toml": _manifest(layers, files), "staff.csv": staff_csv()}


def make_layers() -> list[Layer]:
    """Return all layers, drawn on one mesh."""
    mesh = Mesh(_values_at)
    return [
        Layer("boundary.geojson", "葦原市と8地区の境界", "boundary", _boundary(mesh)),
        Layer("river.geojson", "大葦川と古葦川", "river", _river(mesh)),
        Layer("flood_depth.geojson", "大葦川 洪水浸水想定(最大規模)", "flood_depth", _flood_depth(mesh)),
        Layer("flood_duration.geojson", "大葦川 浸水継続時間", "flood_duration", _flood_duration(mesh)),
        Layer("collapse_zone.geojson", "大葦川 家屋倒壊等氾濫想定区域", "collapse_zone", _collapse_zone(mesh)),
        Layer("roads.geojson", "道路と鉄道", "roads", road_features()),
        Layer("shelters.json", "避難所", "shelters", shelter_rows()),
    ]


def _values_at(x: float, y: float) -> list[float]:
    here = [
        ground.inside_city(x, y), ground.from_bank(x, y), ground.depth_m(x, y), ground.duration_h(x, y),
        ground.flow_zone(x, y), ground.erosion_zone(x, y),
    ]  # fmt: skip
    return here + ground.district_scores(x, y)


def _value(index: int) -> Callable[[Corner], float]:
    return lambda corner: corner[index]


def _difference(a: int, b: int) -> Callable[[Corner], float]:
    return lambda corner: corner[a] - corner[b]


IN_CITY: Cut = (_value(CITY), 0, math.inf)
LAND: Cut = (_value(BANK), 0, math.inf)


def _boundary(mesh: Mesh) -> list[Feature]:
    city = _features(mesh.area(IN_CITY), kind="city", name="葦原市", kana="アシハラシ", code="99999")
    districts = [
        feature
        for number, district in enumerate(ground.DISTRICTS)
        for feature in _features(
            mesh.area(IN_CITY, *_nearest(number)),
            kind="district",
            name=district.name,
            kana=district.kana,
            label=ground.to_degrees(district.label),
        )
    ]
    return city + districts


def _nearest(number: int) -> list[Cut]:
    """Return the cuts that keep the ground where no other district has a smaller score."""
    mine = FIRST_DISTRICT + number
    others = [FIRST_DISTRICT + other for other in range(len(ground.DISTRICTS)) if other != number]
    return [(_difference(other, mine), 0, math.inf) for other in others]


def _river(mesh: Mesh) -> list[Feature]:
    middle = [ground.to_degrees((x, ground.bank_y(x) - ground.RIVER_WIDTH_M / 2)) for x in range(-300, 6301, 100)]
    tributary = [ground.to_degrees(place) for place in _rounded(ground.TRIBUTARY)]
    water = mesh.area((_value(BANK), -ground.RIVER_WIDTH_M, 0))
    return [
        *_features(water, kind="water", name=RIVER, width_m=ground.RIVER_WIDTH_M),
        *_features([LineString(middle[::-1])], kind="centre_line", name=RIVER, width_m=ground.RIVER_WIDTH_M),
        *_features([LineString(tributary)], kind="centre_line", name=TRIBUTARY, width_m=28.0),
    ]


def _rounded(line: list[ground.Place]) -> list[ground.Place]:
    """Cut the corners of a line three times, which makes a bend of each."""
    for _ in range(3):
        cut = [line[0]]
        for (x0, y0), (x1, y1) in pairwise(line):
            cut += [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for share in (0.25, 0.75)]
        line = [*cut, line[-1]]
    return line


def _flood_depth(mesh: Mesh) -> list[Feature]:
    features = []
    for rank, low, high in DEPTH_RANKS:
        shapes = mesh.area(IN_CITY, LAND, (_value(DEPTH), low, high))
        features += _features(shapes, rank=rank, min_m=low, max_m=high, river=RIVER)
    return features


def _flood_duration(mesh: Mesh) -> list[Feature]:
    wet: Cut = (_value(DEPTH), DURATION_DEPTH_MIN_M, math.inf)
    features = []
    for rank, low, high in DURATION_RANKS:
        shapes = mesh.area(IN_CITY, LAND, wet, (_value(HOURS), low, high))
        features += _features(shapes, rank=rank, min_h=low, max_h=high, river=RIVER)
    return features


def _collapse_zone(mesh: Mesh) -> list[Feature]:
    flow = mesh.area(IN_CITY, LAND, (_value(FLOW), 0, math.inf))
    erosion = mesh.area(IN_CITY, LAND, (_value(EROSION), 0, math.inf))
    return [
        *_features(flow, kind="flow", title="氾濫流", river=RIVER),
        *_features(erosion, kind="erosion", title="河岸侵食", river=RIVER),
    ]


def _features(shapes: Sequence[BaseGeometry], **properties: object) -> list[Feature]:
    return [{"type": "Feature", "properties": properties | NOTE, "geometry": mapping(item)} for item in shapes]


def _content(layer: Layer) -> bytes:
    """Return the file, one feature or row a line, so that a change shows as few lines."""
    rows = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in layer.rows]
    body = "[\n" + ",\n".join(rows) + "\n]"
    name = layer.file.partition(".")[0]
    head = {"name": name, "title": layer.title, "source": SOURCE, "data_date": DATA_DATE}
    if layer.file.endswith(".geojson"):
        start = json.dumps({"type": "FeatureCollection"} | head | {"crs": CRS}, ensure_ascii=False)
        return f'{start[:-1]}, "features": {body}}}\n'.encode()
    start = json.dumps(head, ensure_ascii=False)
    return f'{start[:-1]}, "shelters": {body}}}\n'.encode()


def _manifest(layers: list[Layer], files: dict[str, bytes]) -> bytes:
    bounds = shape(layers[0].rows[0]["geometry"]).bounds
    parts = [
        "# Written by make_city.py; do not edit by hand.\n"
        'title = "葦原市(架空) 訓練用データ"\n'
        'notice = "訓練用。実在しない市です。ハザードマップとして使わないでください。"\n'
        'municipality_code = "99999"\n'
        f"bbox = {list(bounds)}\n"
    ]
    for layer in layers:
        content = files[layer.file]
        parts.append(
            "\n[[layer]]\n"
            f'file = "{layer.file}"\n'
            f'title = "{layer.title}"\n'
            f'kind = "{layer.kind}"\n'
            'crs = "EPSG:6668"\n'
            f'data_date = "{DATA_DATE}"\n'
            f'source = "{SOURCE}"\n'
            f"count = {len(layer.rows)}\n"
            f"bytes = {len(content)}\n"
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        )
    return "".join(parts).encode()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
