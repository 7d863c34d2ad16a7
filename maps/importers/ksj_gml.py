"""KSJ application schema GML (国土数値情報), which GDAL does not read: curves, surfaces and features joined by xlink.

Files are UTF-8 or Shift_JIS, "lat lon", and their ids differ in case from the links to them. A document type or an
entity is refused: nothing is ever fetched or expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from defusedxml.ElementTree import DefusedXMLParser

from maps.errors import BadFile

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

HREF = "{http://www.w3.org/1999/xlink}href"
DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
ENCODINGS = {"shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "cp932": "cp932"}
CHUNK_CHARS = 1 << 16


def read(path: Path, name: str) -> tuple[Array, dict[str, Array], str]:
    """Geometries (lon, lat), columns and the reference system. Raises BadFile."""
    import numpy as np

    text = _text(path, name)
    reader = _Reader()
    try:
        for element in _top_level(text):
            reader.take(element)
        shapes, rows = reader.features()
    except (ElementTree.ParseError, ValueError, IndexError) as error:
        raise BadFile(
            "bad_gml", f"{name} cannot be read: {error}", "It may be cut off: copy or download it again."
        ) from error
    if not rows:
        raise BadFile("not_ksj", f"{name} holds no areas of 国土数値情報", "Give the Shapefile or GeoJSON of the data.")
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    names = sorted({column for row in rows for column in row})
    columns = {column: np.array([row.get(column) for row in rows], dtype=object) for column in names}
    return geometry, columns, "EPSG:6668" if re.search("jgd2011", text[:4096], re.IGNORECASE) else "EPSG:4612"


def _text(path: Path, name: str) -> str:
    raw = path.read_bytes()
    said = re.match(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"']([A-Za-z0-9_-]+)[\"']", raw[:200])
    encoding = said[1].decode().lower() if said else "utf-8"
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        text = raw.decode(ENCODINGS.get(encoding, encoding))
    except (UnicodeDecodeError, LookupError) as error:
        raise BadFile(
            "bad_encoding", f"{name} is not in the encoding it says ({encoding})", "Save it as UTF-8."
        ) from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadFile(
            "xml_with_entities", f"{name} has a document type or entities, which map data never needs", "Do not use it."
        )
    return DECLARATION.sub("", text, count=1)


def _top_level(text: str) -> Iterator[ElementTree.Element]:
    """The children of the root, one at a time, each forgotten after use: a file may have a million of them."""
    strict = DefusedXMLParser(target=ElementTree.TreeBuilder(), forbid_dtd=True)
    parser: Any = ElementTree.XMLPullParser(("start", "end"), _parser=strict)
    depth, root = 0, None
    for start in range(0, len(text) + CHUNK_CHARS, CHUNK_CHARS):
        if start < len(text):
            parser.feed(text[start : start + CHUNK_CHARS])
        else:
            parser.close()
        for event, element in parser.read_events():
            if event == "start":
                root = element if root is None else root
                depth += 1
                continue
            depth -= 1
            if depth == 1 and root is not None:
                yield element
                root.clear()


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _id(element: ElementTree.Element) -> str:
    return next((value.lower() for name, value in element.attrib.items() if name.rpartition("}")[2] == "id"), "")


def _link(element: ElementTree.Element) -> str:
    return element.get(HREF, "").lstrip("#").lower()


class _Reader:
    """Collects what is joined by links, in whatever order it stands."""

    def __init__(self) -> None:
        self._curves: dict[str, list[tuple[float, float]]] = {}
        self._turned: dict[str, tuple[str, bool]] = {}
        self._surfaces: dict[str, list[list[list[Any]]]] = {}
        self._rows: list[tuple[str, dict[str, str]]] = []

    def take(self, element: ElementTree.Element) -> None:
        kind = _local(element)
        if kind == "Curve":
            self._curves[_id(element)] = [point for part in _found(element, "posList") for point in _points(part)]
        elif kind == "OrientableCurve":
            base = next(_found(element, "baseCurve"))
            self._turned[_id(element)] = (_link(base), element.get("orientation") == "-")
        elif kind in ("Surface", "Polygon"):
            patches = [element] if kind == "Polygon" else list(_found(element, "PolygonPatch"))
            self._surfaces[_id(element)] = [_rings(patch) for patch in patches]
        else:
            link = next((_link(child) for child in element if child.get(HREF)), "")
            if link:
                leaves = {_local(child): (child.text or "").strip() for child in element if not child.get(HREF)}
                self._rows.append((link, leaves))

    def features(self) -> tuple[list[Any], list[dict[str, str]]]:
        rows = [(link, row) for link, row in self._rows if link in self._surfaces]
        return [self._shape(self._surfaces[link]) for link, _ in rows], [row for _, row in rows]

    def _shape(self, patches: list[list[list[Any]]]) -> Any:
        import shapely

        areas = []
        for rings in patches:
            closed = [self._ring(ring) for ring in rings]
            areas.append(shapely.Polygon(closed[0], closed[1:]))
        return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)

    def _ring(self, members: list[Any]) -> list[tuple[float, float]]:
        joined: list[tuple[float, float]] = []
        for member in members:
            points = self._curve(member) if isinstance(member, str) else member
            if joined and points and joined[-1] != points[0] and joined[-1] == points[-1]:
                points = points[::-1]
            joined += points[1:] if joined and points and joined[-1] == points[0] else points
        return joined

    def _curve(self, link: str) -> list[tuple[float, float]]:
        base, backwards = self._turned.get(link, (link, False))
        points = self._curves.get(base)
        if points is None:
            raise ValueError(f"a surface names the curve {link}, which is not there")
        return points[::-1] if backwards else points


def _found(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (inner for inner in element.iter() if _local(inner) == name)


def _rings(patch: ElementTree.Element) -> list[list[Any]]:
    """The rings of a patch, the outer one first: links to curves, or points that stand there themselves."""
    rings: list[list[Any]] = []
    for side in ("exterior", "interior"):
        for part in _found(patch, side):
            links = [_link(member) for member in _found(part, "curveMember") if member.get(HREF)]
            rings.append(links or [_points(points) for points in _found(part, "posList")])
    return rings


def _points(element: ElementTree.Element) -> list[tuple[float, float]]:
    numbers = [float(number) for number in (element.text or "").split()]
    if len(numbers) % 2:
        raise ValueError("a list of positions has an odd count of numbers")
    return list(zip(numbers[1::2], numbers[0::2], strict=True))
