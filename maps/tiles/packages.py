"""Packages of tiles from elsewhere: tested before they are taken, MBTiles turned into PMTiles.

One sentence says what is wrong with a package; nothing is served that was not opened here.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from maps.errors import BadFile
from maps.layers import TILE_LAYER

MAGIC, MBTILES_MAGIC = b"PMTiles", b"SQLite format 3\0"
HEADER_BYTES = 127
TILES_TESTED = 48
TILE_BYTES_MAX = 16 << 20
TILES_MAX = 2_000_000
VECTOR, RASTERS = "mvt", ("png", "jpeg", "webp")
# What a tile begins with; the type in the header is a claim.
SIGNS = {"png": (b"\x89PNG\r\n\x1a\n",), "jpeg": (b"\xff\xd8\xff",), "webp": (b"RIFF",)}
_HINT = "Copy it again, or make the package anew."


@dataclass(frozen=True, slots=True)
class Package:
    """What a package holds. ``layers`` are those of its vector tiles."""

    tile_type: str
    zooms: tuple[int, int]
    bounds: tuple[float, float, float, float]
    tiles: int
    tested: int
    layers: tuple[str, ...]
    name: str
    attribution: str

    @property
    def raster(self) -> bool:
        return self.tile_type in RASTERS

    @property
    def ours(self) -> bool:
        """Whether our own paint rules know its tiles."""
        return TILE_LAYER in self.layers


def is_package(path: Path) -> bool:
    """Whether the file claims to be one, by its name or its first bytes."""
    with path.open("rb") as file:
        start = file.read(16)
    return path.suffix.lower() in (".pmtiles", ".mbtiles") or start[:7] == MAGIC


def tested(path: Path, name: str) -> Package:
    """Open a PMTiles package and some of its tiles. Raises BadFile."""
    from pmtiles.reader import MmapSource, Reader

    with path.open("rb") as file:
        _look_at_head(file, path.stat().st_size, name)
        try:
            reader = Reader(MmapSource(file))
            header, metadata = reader.header(), reader.metadata()
            sample, count = _sample(MmapSource(file), header)
        except BadFile:
            raise
        except Exception as error:  # the reader checks nothing: whatever a broken directory makes it raise ends here
            raise BadFile("bad_package", f"{name} has a broken directory ({error})", _HINT) from error
    tile_type = header["tile_type"].name.lower()
    if tile_type not in (VECTOR, *RASTERS):
        raise BadFile("unknown_tiles", f"{name} holds tiles of an unknown type", "Give PNG, JPEG, WebP or MVT tiles.")
    if not sample:
        raise BadFile("empty_package", f"{name} holds no tile", "Make the package anew.")
    layers = {layer for data in sample for layer in _test(data, tile_type, header["tile_compression"].name, name)}
    bounds = tuple(header[key] / 1e7 for key in ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7"))
    return Package(
        tile_type, (header["min_zoom"], header["max_zoom"]), bounds, count, len(sample),
        tuple(sorted(layers)), str(metadata.get("name", ""))[:200], str(metadata.get("attribution", ""))[:2_000],
    )  # fmt: skip


def from_mbtiles(path: Path, target: Path, name: str) -> None:
    """Write the tiles of an MBTiles (rows from the south) as PMTiles. Raises BadFile."""
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import Writer

    with path.open("rb") as file:
        if file.read(16) != MBTILES_MAGIC:
            raise BadFile("bad_package", f"{name} is no MBTiles (an SQLite file)", _HINT)
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
            meta = dict(db.execute("SELECT name, value FROM metadata"))
            places = sorted(
                (zxy_to_tileid(z, x, (1 << z) - 1 - y), row)
                for row, z, x, y in db.execute(
                    "SELECT rowid, zoom_level, tile_column, tile_row FROM tiles LIMIT ?", (TILES_MAX,)
                )
            )
            if not places:
                raise BadFile("empty_package", f"{name} holds no tile", "Make the package anew.")
            kinds = {
                "pbf": TileType.MVT,
                "png": TileType.PNG,
                "jpg": TileType.JPEG,
                "jpeg": TileType.JPEG,
                "webp": TileType.WEBP,
            }
            kind = kinds.get(str(meta.get("format", "")), TileType.UNKNOWN)
            squeezed = Compression.GZIP if kind == TileType.MVT else Compression.NONE
            with target.open("wb") as file:
                writer = Writer(file)
                for tile_id, row in places:
                    (data,) = db.execute("SELECT tile_data FROM tiles WHERE rowid = ?", (row,)).fetchone()
                    writer.write_tile(tile_id, _squeezed(bytes(data)) if kind == TileType.MVT else bytes(data))
                writer.finalize(_header(kind, squeezed, meta, places), _metadata(meta))
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise BadFile("bad_package", f"{name} cannot be read as MBTiles: {error}", _HINT) from error


def _look_at_head(file: BinaryIO, size: int, name: str) -> None:
    head = file.read(HEADER_BYTES)
    if head[:7] != MAGIC:
        raise BadFile("wrong_magic", f"{name} is no PMTiles package", "Give a .pmtiles or .mbtiles file.")
    if len(head) < HEADER_BYTES or head[7] != 3:
        raise BadFile("old_package", f"{name} is not PMTiles version 3", "Convert it with `pmtiles convert`.")
    numbers = [int.from_bytes(head[at : at + 8], "little") for at in range(8, 72, 8)]
    if any(offset + length > size for offset, length in zip(numbers[::2], numbers[1::2], strict=True)):
        raise BadFile("truncated", f"{name} is cut off: it names bytes beyond its end", "Copy it again.")


def _sample(source: Any, header: dict[str, Any]) -> tuple[list[bytes], int]:
    """Tiles spread over the whole package, and how many there are."""
    count = header["tile_entries_count"] or header["addressed_tiles_count"]
    step = max(1, count // TILES_TESTED)
    found: list[bytes] = []
    tiles = 0
    for number, (offset, length, run) in enumerate(
        _places(source, header, header["root_offset"], header["root_length"], 0)
    ):
        if number % step == 0 and len(found) < TILES_TESTED and length <= TILE_BYTES_MAX:
            found.append(bytes(source(header["tile_data_offset"] + offset, length)))
        tiles += run
    return found, tiles


def _places(
    source: Any, header: dict[str, Any], offset: int, length: int, depth: int
) -> Iterator[tuple[int, int, int]]:
    from pmtiles.tile import deserialize_directory

    if depth > 3:
        raise ValueError("directories lie too deep")
    for entry in deserialize_directory(bytes(source(offset, length))):
        if entry.run_length:
            yield entry.offset, entry.length, entry.run_length
        else:
            yield from _places(source, header, header["leaf_directory_offset"] + entry.offset, entry.length, depth + 1)


def _test(data: bytes, tile_type: str, compression: str, name: str) -> tuple[str, ...]:
    """The layers of a tile that can be opened; none of a picture. Raises BadFile."""
    try:
        plain = _opened(data) if compression == "GZIP" else data
        return tuple(_layers(plain)) if tile_type == VECTOR else _picture(plain, tile_type)
    except (ValueError, IndexError, OSError, zlib.error, UnicodeDecodeError, SyntaxError) as error:
        raise BadFile("bad_tile", f"{name} holds a tile that cannot be opened ({error})", _HINT) from error


def _opened(data: bytes) -> bytes:
    found = zlib.decompressobj(47).decompress(data, TILE_BYTES_MAX)
    if not found:
        raise ValueError("an empty tile")
    return found


def _squeezed(data: bytes) -> bytes:
    return data if data[:2] == b"\x1f\x8b" else gzip.compress(data, mtime=0)


def _picture(data: bytes, tile_type: str) -> tuple[str, ...]:
    from PIL import Image

    if not data.startswith(SIGNS[tile_type]):
        raise ValueError(f"not a {tile_type} picture")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(io.BytesIO(data), formats=[tile_type.upper()]) as picture:
            picture.load()
            if max(picture.size) > 2_048:
                raise ValueError("larger than 2,048 points")
    return ()


def _layers(data: bytes) -> Iterator[str]:
    """The names of the layers of a vector tile: field 3 of the tile, field 1 of each layer."""
    for number, value in _fields(data):
        if number == 3 and isinstance(value, bytes):
            name = next((inner for at, inner in _fields(value) if at == 1 and isinstance(inner, bytes)), b"")
            yield name.decode()


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a vector tile that is cut off")
            yield key >> 3, data[at : at + size]
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("no vector tile")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("no vector tile")


def _header(kind: Any, squeezed: Any, meta: dict[str, str], places: list[tuple[int, int]]) -> dict[str, Any]:
    from pmtiles.tile import tileid_to_zxy

    zooms = (tileid_to_zxy(places[0][0])[0], tileid_to_zxy(places[-1][0])[0])
    bounds = [float(number) for number in str(meta.get("bounds", "122,20,154,46")).split(",")]
    west, south, east, north = (int(number * 1e7) for number in bounds)
    return {
        "tile_type": kind, "tile_compression": squeezed, "min_zoom": zooms[0], "max_zoom": zooms[1],
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
        "center_zoom": zooms[0], "center_lon_e7": (west + east) // 2, "center_lat_e7": (south + north) // 2,
    }  # fmt: skip


def _metadata(meta: dict[str, str]) -> dict[str, str]:
    return {name: str(meta[name])[:2_000] for name in ("name", "attribution", "description") if meta.get(name)}
