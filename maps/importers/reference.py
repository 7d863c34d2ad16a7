"""Where the numbers of a file lie on the earth: which reference systems are taken, and how they become WGS 84.

JGD2000, JGD2011 and WGS 84 are equal to about a metre outside the area that moved in 2011: their numbers are kept.
The old Tokyo datum lies about 400 m off: it is never taken unless a person names it. Plane systems are computed back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile, Unclear

if TYPE_CHECKING:
    import numpy as np

AS_THEY_ARE = {code: f"EPSG:{code}" for code in (4326, 4612, 6668, 4979, 4947, 6697)}
WEST, SOUTH, EAST, NORTH = 122.0, 20.0, 154.5, 46.5  # Japan with its seas


@dataclass(frozen=True, slots=True)
class Reference:
    """``code`` as the catalogue keeps it; ``transform`` None where the numbers are degrees already."""

    code: str
    transform: Any = None

    def degrees(self, geometry: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The geometries in degrees, longitude first."""
        if self.transform is None:
            return geometry
        import numpy as np
        import shapely

        def moved(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            return np.column_stack(self.transform(points[:, 0], points[:, 1]))

        found: np.ndarray[Any, Any] = shapely.transform(geometry, moved)
        return found


def reference(file_says: str | None, person_says: str | None, name: str) -> Reference:
    """What the numbers of a file are. Raises Unclear where a person has to say it, BadFile where nobody can."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not (file_says or person_says):
        raise Unclear(
            "no_reference_system",
            f"{name} does not say its reference system (a Shapefile has it in .prj)",
            "Add the .prj file, or name it if you know it: --crs EPSG:6668 (JGD2011).",
        )
    try:
        crs = CRS.from_user_input(person_says or file_says)
    except CRSError as error:
        raise BadFile(
            "bad_reference_system", f"the reference system of {name} is unknown", "Name it with --crs EPSG:6668."
        ) from error
    if is_tokyo(crs) and not person_says:
        raise Unclear(
            "tokyo_datum",
            f"{name} is in the old Tokyo datum, which lies about 400 m off",
            "Ask for the file in JGD2011, or choose to have it computed: --crs EPSG:4301.",
        )
    return _reference_of(crs)


def is_tokyo(crs: Any) -> bool:
    datum = (crs.datum.name if crs.datum else "").lower().replace("_", " ")
    return datum in ("tokyo", "tokyo 1918", "d tokyo") or "tokyo" in datum


def _reference_of(crs: Any) -> Reference:
    from pyproj import Transformer

    code = crs.to_epsg(min_confidence=25)
    if code in AS_THEY_ARE:
        return Reference(AS_THEY_ARE[code])
    said = f"EPSG:{code}" if code else str(crs.name)[:32]
    if crs.is_geographic and not is_tokyo(crs):
        return Reference(said)
    return Reference(said, Transformer.from_crs(crs, 6668, always_xy=True).transform)


def refuse_elsewhere(bounds: tuple[float, float, float, float], name: str) -> None:
    """Raise BadFile where the data as a whole lies outside Japan; a swapped order of axes is named as such."""
    west, south, east, north = bounds
    if west >= SOUTH and east <= NORTH and south >= WEST and north <= EAST:
        raise BadFile(
            "axes_swapped",
            f"{name} seems to have latitude and longitude in the wrong order",
            "Have it written with longitude first; nothing was exchanged here.",
        )
    if east < WEST or west > EAST or north < SOUTH or south > NORTH:
        raise BadFile(
            "not_in_japan",
            f"{name} lies at {west:.2f}..{east:.2f} E, {south:.2f}..{north:.2f} N, which is not in Japan",
            "Check its reference system, and name the right one with --crs.",
        )
