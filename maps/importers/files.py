"""What is in a file: the datasets of a folder's Shapefile, a zip, a GeoPackage. Zips are unpacked with limits.

Nothing of a zip is trusted: names that leave it, bombs and locked members are refused before a byte is written.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maps.errors import BadFile

FILE_BYTES_MAX = 512 << 20  # a prefecture's layer is 96 MB as GeoJSON; a larger file is cut by its publisher
ZIP_MEMBERS_MAX = 2_000
ZIP_BYTES_MAX = 1 << 30
ZIP_RATIO_MAX = 200  # text of a flood layer packs 30 times; a bomb a thousand times
RATIO_FROM_BYTES = 1 << 20

SHAPE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
WANTED = (".shp", *SHAPE_PARTS, ".gpkg", ".geojson", ".json", ".kml", ".xml", ".gml", ".fgb", ".csv")
# Of two forms of one layer in one zip the first here is read: a Shapefile's attributes are typed, those of KML are not.
DATASETS = (".shp", ".gpkg", ".fgb", ".geojson", ".json", ".xml", ".gml", ".kml", ".csv", ".pmtiles", ".mbtiles")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file that holds data. ``name`` is what the city calls it, for messages and for what names say."""

    path: Path
    name: str

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()


def datasets(path: Path, unpack_to: Path) -> list[Dataset]:
    """What can be read of the file, best form first. Raises BadFile."""
    _look_at(path)
    if zipfile.is_zipfile(path) and path.suffix.lower() != ".gpkg":
        found = _unpacked(path, unpack_to)
    elif path.suffix.lower() == ".zip":
        raise BadFile("bad_zip", f"{path.name} is not a whole zip file", "Copy or download it again.")
    else:
        found = [Dataset(path, path.name)]
    known = [dataset for dataset in found if dataset.suffix in DATASETS]
    if not known:
        raise BadFile(
            "no_data_in_file",
            f"{path.name} holds nothing that can be read",
            "Give GeoJSON, a (zipped) Shapefile, GeoPackage, KML, KSJ GML, CSV, PMTiles or MBTiles.",
        )
    return sorted(known, key=lambda dataset: (DATASETS.index(dataset.suffix), dataset.name))


def _look_at(path: Path) -> None:
    if not path.is_file():
        raise BadFile("no_such_file", f"{path.name} is not there, or is no file", "Check the name.")
    size = path.stat().st_size
    if size == 0:
        raise BadFile("empty_file", f"{path.name} is empty", "Copy or download it again.")
    if size > FILE_BYTES_MAX:
        raise BadFile(
            "file_too_large",
            f"{path.name} has {size >> 20} MB; {FILE_BYTES_MAX >> 20} MB are the most",
            "Cut it to the city, or save it as a GeoPackage or zipped Shapefile.",
        )


def _unpacked(path: Path, unpack_to: Path) -> list[Dataset]:
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_members(archive, path.name, unpack_to))
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise BadFile("bad_zip", f"{path.name} cannot be unpacked: {error}", "Copy or download it again.") from error


def _members(archive: zipfile.ZipFile, name: str, unpack_to: Path) -> Iterator[Dataset]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _refuse_bomb(infos, name)
    folders: dict[str, Path] = {}
    for info in infos:
        place = PurePosixPath(_decoded(info).replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
            raise BadFile("zip_leaves_folder", f"{name} names a file outside of itself", "Do not use this zip.")
        if place.suffix.lower() not in WANTED or "__MACOSX" in place.parts:
            continue
        if info.flag_bits & 1:
            raise BadFile("zip_locked", f"{name} is locked with a password", "Unpack it, and import what is inside.")
        # Members of one folder stay together (a Shapefile is several files); what the folder is called is not used.
        folder = folders.setdefault(str(place.parent), unpack_to / f"zip{len(folders)}")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / (place.stem + place.suffix.lower())
        with archive.open(info) as packed, target.open("xb") as plain:
            _copy(packed, plain, info.file_size, name)
        yield Dataset(target, place.name)


def _refuse_bomb(infos: list[zipfile.ZipInfo], name: str) -> None:
    total = sum(info.file_size for info in infos)
    bomb = any(
        info.file_size > RATIO_FROM_BYTES and info.file_size > ZIP_RATIO_MAX * max(info.compress_size, 1)
        for info in infos
    )
    if bomb or total > ZIP_BYTES_MAX or len(infos) > ZIP_MEMBERS_MAX:
        raise BadFile(
            "zip_bomb",
            f"{name} would unpack to {len(infos)} files and {total >> 20} MB",
            "Do not use this zip, or unpack it and import the one file that is wanted.",
        )


def _copy(packed: object, plain: object, size: int, name: str) -> None:
    """A member whose real size differs from what the zip says is a bomb, too."""
    shutil.copyfileobj(_Bounded(packed, size, name), plain)  # type: ignore[arg-type]


class _Bounded:
    def __init__(self, stream: object, size: int, name: str) -> None:
        self._stream, self._left, self._name = stream, size, name

    def read(self, count: int) -> bytes:
        data: bytes = self._stream.read(count)  # type: ignore[attr-defined]
        self._left -= len(data)
        if self._left < 0:
            raise BadFile("zip_bomb", f"{self._name} unpacks to more than it says", "Do not use this zip.")
        return data


def _decoded(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 mark were written by Japanese Windows far more often than by DOS."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return info.filename
