"""How fast a position is told its assumed depth: many at once, one by one, and over HTTP.

The layer is the invented city's, or the file given with --corpus (any file that `import hazard` reads).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import requests

import hazard_data
from app import catalog, processes
from app.bench import emit, percentile, stage
from app.errors import CommandFailed
from app.layers import LayerInUse
from app.node import Node
from maps.hazard import HazardLayer

POINTS, ROUNDS, SINGLY, REQUESTS, WARM_UP = 1_000_000, 5, 20_000, 500, 10
Places = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def run(corpus: Path | None = None) -> None:
    path = corpus or Path(hazard_data.__file__).with_name("flood_depth.geojson")
    with stage.folder() as folder:
        home, port = folder / "hub", stage.free_port()
        stage.make_hub(home)
        processes.command(home, "import", "hazard", str(path), "--json")
        with stage.opened(home) as node:
            places = _in_process(node)
        stage.add_person(home, "統括", "commander")
        token = processes.command(home, "token", "create", "--user", "統括").strip()
        with processes.serving(folder, {"hub": port}):
            _over_http(processes.url(port), token, places)


def _in_process(node: Node) -> Places:
    layer = _depth_layer(node)
    data = node.blobs.read(layer.files["parts"][0])
    began = time.perf_counter()
    hazard = HazardLayer.load(data, catalog.depth())
    emit("depth", "load", (time.perf_counter() - began) * 1000, "ms")
    places = _places(layer)
    rates: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        hazard.ranks_at(places[:, 0], places[:, 1])
        rates.append(POINTS / (time.perf_counter() - began))
    emit("depth", "vectorised_p50", percentile(rates, 0.5), "points/s")
    for name, accuracy_m in (("single", None), ("circle_30m", 30.0)):
        took: list[float] = []
        for lon, lat in places[:SINGLY].tolist():
            began = time.perf_counter()
            hazard.depth_at(lon, lat, accuracy_m)
            took.append((time.perf_counter() - began) * 1000)
        emit("depth", f"{name}_p50", percentile(took, 0.5), "ms")
        emit("depth", f"{name}_p99", percentile(took, 0.99), "ms")
    return places


def _over_http(url: str, token: str, places: Places) -> None:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    took: list[float] = []
    for lon, lat in places[: REQUESTS + WARM_UP].tolist():
        began = time.perf_counter()
        answer = session.get(f"{url}/api/v1/hazard", params={"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"}, timeout=30)
        took.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    emit("depth", "http_first", took[0], "ms")
    emit("depth", "http_p50", percentile(took[WARM_UP:], 0.5), "ms")
    emit("depth", "http_p99", percentile(took[WARM_UP:], 0.99), "ms")


def _depth_layer(node: Node) -> LayerInUse:
    found = [layer for layer in node.layers.in_use() if layer.kind == "flood_depth"]
    if not found:
        raise CommandFailed("no_depth", "the corpus has no layer of flood depth", "Give a file of A31 depths.")
    return found[0]


def _places(layer: LayerInUse) -> Places:
    """Points anywhere in the layer's box, the same for the same layer."""
    west, south, east, north = layer.bbox or (-180.0, -80.0, 180.0, 80.0)
    return np.random.default_rng(1).uniform((west, south), (east, north), (POINTS, 2))
