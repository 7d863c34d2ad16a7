"""The child that reads one file: it knows no node and no key, and writes only into the folder it is given.

Before: ``imports.run`` starts it with limits. After: what it made is handed over, or thrown away with the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app import catalog, child
from app.errors import AppError, CommandFailed
from app.imports import staff_list
from maps.errors import BadFile, MapsError, Unclear
from maps.importers import basemap, boundary, files, hazard, shelters, vector
from maps.importers.files import Dataset
from maps.importers.source import About, Source
from maps.layers import TILE_LAYER, TILES_TYPE, Fault, Prepared, PreparedFile, Report

NEAR_DEGREES = 0.1  # about 10 km: what lies farther from the city no terminal needs
TABLE_SUFFIXES = (".csv", ".txt")
DRILL_WORD = "訓練用"  # how the invented city marks every file of its own
FAULTS_MAX = 1_000

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for: the file, and what they said of it."""

    what: str
    path: Path
    folder: Path
    options: Mapping[str, str | None]
    city: Bounds | None
    force: bool
    tiles: bool
    on_progress: child.Progress


def main() -> None:
    # Before numpy is loaded: a thread's buffers a core would use up the memory that the child may have.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    child.serve(_carry_out)


def _carry_out(request: dict[str, Any], on_progress: child.Progress) -> dict[str, Any]:
    city = request["city"]
    asked = Asked(
        request["what"], Path(request["path"]), Path(request["folder"]), request["options"],
        tuple(city) if city else None, request["force"], request["tiles"], on_progress,
    )  # fmt: skip
    try:
        return imported(asked)
    except MapsError as error:
        raise CommandFailed(error.code, error.message, error.hint) from error
    except (AppError, MemoryError):
        raise
    except Exception as error:  # the edge of the child: a file may trip any library, and the person needs a sentence
        told = f"{type(error).__name__}: {str(error)[:200]}"
        hint = "It may be damaged; report this with the file if another program opens it."
        raise CommandFailed("import_failed", f"{asked.path.name} could not be prepared ({told})", hint) from error


def imported(asked: Asked) -> dict[str, Any]:
    """Read the file and prepare what is in it: {report, layers, shelters, staff}. Raises MapsError."""
    asked.on_progress("reading", 0, 1)
    found = files.datasets(asked.path, asked.folder / "unpacked")
    if asked.what == "shelters":
        return _shelters(found, asked)
    if asked.what == "staff":
        return _staff(found, asked)
    if asked.what == "basemap" and (packaged := _package(found, asked)):
        return packaged
    sources, report = _sources(found, asked)
    prepared = [_prepared(source, asked) for source in sources]
    return {"report": report.as_dict(), "layers": [_as_dict(layer) for layer in prepared], "shelters": None}


# -- layers ------------------------------------------------------------------------------------------


def _sources(found: list[Dataset], asked: Asked) -> tuple[list[Source], Report]:
    """The layers of all datasets of the file; of one layer in two forms the better form only."""
    layers: dict[str, tuple[Source, str]] = {}
    read = accepted = 0
    faults: list[Fault] = []
    refused: list[MapsError] = []
    for dataset in found:
        if dataset.suffix in (*TABLE_SUFFIXES, ".pmtiles", ".mbtiles"):
            continue
        try:
            new = list(_of_dataset(dataset, asked))
        except (BadFile, Unclear) as error:
            refused.append(error)
            faults.append(Fault(None, None, dataset.name, error.message, error.hint))
            continue
        taken = [source for source in new if _joins(source, dataset.suffix, layers)]
        if taken:
            read += max(source.read for source in taken)
            accepted += max(source.accepted for source in taken)
            faults += [fault for source in taken for fault in source.faults]
        elif new:
            faults.append(Fault(None, None, dataset.name, "is another form of the same layer; it was not used"))
    if not layers:
        raise refused[0] if refused else _nothing(found, asked)
    sources = [source for source, _ in layers.values()]
    return sources, Report(read, accepted, max(0, read - accepted), list(dict.fromkeys(faults))[:FAULTS_MAX])


def _joins(source: Source, suffix: str, layers: dict[str, tuple[Source, str]]) -> bool:
    """Put a source among the layers; False where it is there already, in a better form."""
    earlier = layers.get(source.key)
    if earlier is None:
        layers[source.key] = (source, suffix)
        return True
    if earlier[1] != suffix:
        return False
    layers[source.key] = (hazard.joined(earlier[0], source), suffix)
    return True


def _of_dataset(dataset: Dataset, asked: Asked) -> Iterator[Source]:
    crs = asked.options.get("crs")
    tables = {"flood_depth": catalog.depth(), "flood_duration": catalog.durations()}
    if asked.what == "basemap":
        yield _checked(basemap.source(list(vector.read(dataset, crs)), dataset), dataset, asked)
        return
    for features in vector.read(dataset, crs):
        if asked.what == "boundary":
            yield boundary.source(features, dataset, asked.options.get("municipality"))
            continue
        origin = asked.path.stem
        for source in hazard.sources(features, dataset, tables, asked.options.get("values"), origin):
            yield _checked(source, dataset, asked)


def _checked(source: Source, dataset: Dataset, asked: Asked) -> Source:
    """Refuse the layer of another city, and leave out what lies far from ours."""
    if asked.city is None or asked.force:
        return source
    import shapely

    west, south, east, north = asked.city
    around = shapely.box(west - NEAR_DEGREES, south - NEAR_DEGREES, east + NEAR_DEGREES, north + NEAR_DEGREES)
    near = shapely.intersects(source.geometry, around)
    if not shapely.intersects(source.geometry[near], shapely.box(*asked.city)).any():
        raise BadFile(
            "another_city",
            f"nothing in {dataset.name} lies in this city",
            "Check that it is the right file; --force imports it all the same.",
        )
    if near.all():
        return source
    told = Fault(None, "geometry", None, f"{int((~near).sum())} areas lie more than 10 km away and were left out")
    columns = {name: values[near] for name, values in source.columns.items()}
    return replace(source, geometry=source.geometry[near], columns=columns, faults=(*source.faults, told))


def _nothing(found: list[Dataset], asked: Asked) -> BadFile:
    return BadFile(
        f"no_{asked.what}",
        f"no column of {asked.path.name} says anything of a {asked.what} layer",
        "A31 files have columns like A31a_205 or A31b_201; others need rank, 浸水深 or 浸水継続時間.",
    )


def _prepared(source: Source, asked: Asked) -> Prepared:
    from maps.prepare import prepare

    source = _described(source, asked.options)
    return prepare(source, asked.folder, within=asked.city, tiles=asked.tiles, on_progress=asked.on_progress)


def _described(source: Source, options: Mapping[str, str | None]) -> Source:
    """Fill in what the file does not say of itself; a person's word wins."""
    about, scenario = source.about, options.get("scenario") or source.scenario
    due = catalog.table("layer_credits").get(source.family)
    kind = catalog.table("layer_kinds").get(source.layer_kind)
    scale = catalog.table("layer_scenarios").get(scenario)
    assert kind is not None
    title = f"{kind.word}({scale.word})" if scale and source.layer_kind == "flood_depth" else kind.word
    return replace(
        source,
        scenario=scenario,
        group=options.get("group") or source.group,
        about=About(
            (options.get("title") or about.title or title)[:200],
            (options.get("source") or about.source or (due.code if due else None)),
            options.get("credit") or about.credit or (due.word if due else about.source),
            options.get("licence") or about.licence or (due.meaning if due else None),
            options.get("data_date") or about.data_date,
        ),
    )


def _as_dict(layer: Prepared) -> dict[str, Any]:
    told = " ".join(str(layer.fields.get(name) or "") for name in ("title", "source", "credit"))
    listed = [
        {
            "role": file.role,
            "path": str(file.path),
            "media_type": file.media_type,
            "sha256": file.sha256,
            "size": file.size,
        }
        for file in layer.files
    ]
    return {"fields": {**layer.fields, "drill": DRILL_WORD in told}, "files": listed}


# -- packages of tiles -------------------------------------------------------------------------------


def _package(found: list[Dataset], asked: Asked) -> dict[str, Any] | None:
    """A basemap that is tiles already; None where it is lines and areas."""
    from maps.prepare import packaged
    from maps.tiles import packages

    dataset = found[0]
    if not packages.is_package(dataset.path):
        return None
    path, name = dataset.path, dataset.name
    if dataset.suffix == ".mbtiles":
        path = asked.folder / "converted.pmtiles"
        packages.from_mbtiles(dataset.path, path, name)
    package = packages.tested(path, name)
    _refuse_elsewhere(package.bounds, name, asked)
    described = _described(_empty_basemap(package), asked.options)
    layer = packaged(package, described, path, TILES_TYPE)
    faults = []
    if not package.raster and not package.ours:
        told = f"has the layers {', '.join(package.layers)[:100]}, which our map does not draw"
        faults.append(Fault(None, None, name, told, "Give PNG tiles, or roads and boundaries as GeoJSON."))
    report = Report(package.tiles, package.tiles, 0, faults)
    return {"report": report.as_dict(), "layers": [_as_dict(layer)], "shelters": None}


def _empty_basemap(package: Any) -> Source:
    import numpy as np

    about = About(package.name if package.name != TILE_LAYER else None, None, package.attribution or None)
    return Source("basemap", np.empty(0, dtype=object), {}, "EPSG:3857", about=about, accepted=package.tiles)


def _refuse_elsewhere(bounds: Bounds, name: str, asked: Asked) -> None:
    if asked.city is None or asked.force:
        return
    west, south, east, north = asked.city
    if bounds[2] < west or bounds[0] > east or bounds[3] < south or bounds[1] > north:
        raise BadFile(
            "another_city", f"{name} does not cover this city", "Check the file; --force imports it all the same."
        )


# -- shelters ----------------------------------------------------------------------------------------


def _shelters(found: list[Dataset], asked: Asked) -> dict[str, Any]:
    """The records as a file in the folder: a long list does not fit through the control socket."""
    listed = shelters.read(found[0], asked.options.get("crs"))
    _refuse_list_elsewhere(listed.records, asked)
    about = {
        "source": asked.options.get("source") or listed.about.get("source"),
        "data_date": asked.options.get("data_date") or listed.about.get("data_date"),
    }
    records = [{**{name: value for name, value in about.items() if value}, **record} for record in listed.records]
    target = asked.folder / "shelters.json"
    target.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    return {"report": listed.report.as_dict(), "layers": [], "shelters": str(target)}


def _refuse_list_elsewhere(records: list[dict[str, Any]], asked: Asked) -> None:
    if asked.city is None or asked.force:
        return
    west, south, east, north = asked.city
    placed = [record["location"] for record in records if "location" in record]
    near = NEAR_DEGREES
    if placed and not any(
        west - near <= lon <= east + near and south - near <= lat <= north + near for lon, lat in placed
    ):
        raise BadFile(
            "another_city",
            f"no shelter of {asked.path.name} lies in or near this city",
            "Check that it is the right file; --force imports it all the same.",
        )


# -- staff -------------------------------------------------------------------------------------------


def _staff(found: list[Dataset], asked: Asked) -> dict[str, Any]:
    listed = staff_list.read(found[0])
    target = asked.folder / "staff.json"
    target.write_text(json.dumps(listed.records, ensure_ascii=False), "utf-8")
    return {"report": listed.report.as_dict(), "layers": [], "shelters": None, "staff": str(target)}


def as_prepared(layer: Mapping[str, Any]) -> Prepared:
    """What the child said of a layer, in the process that hands it to the node."""
    listed = (PreparedFile(**{**file, "path": Path(file["path"])}) for file in layer["files"])
    return Prepared(layer["fields"], tuple(listed))


if __name__ == "__main__":
    main()
