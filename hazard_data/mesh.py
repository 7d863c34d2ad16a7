"""One net of triangles under all layers: a layer is the net cut at levels of its functions.

Two layers cut at the same level share their edge to the last digit, so ranks neither overlap nor leave gaps.
"""

import math
from collections.abc import Callable, Iterator

from shapely import Polygon, get_parts, normalize, unary_union

from hazard_data.ground import to_degrees

STEP_M = 50
WEST_M, EAST_M, SOUTH_M, NORTH_M = -300, 6300, -400, 4400

Corner = tuple[float, ...]  # x, y, then the value of each function
Cut = tuple[Callable[[Corner], float], float, float]  # what is measured; kept from (inclusive) up to


class Mesh:
    """The net, with the values of the given functions at each corner."""

    def __init__(self, values_at: Callable[[float, float], list[float]]) -> None:
        self._values_at = values_at
        self._triangles = list(self._build())

    def area(self, *cuts: Cut) -> list[Polygon]:
        """Return the polygons, in degrees, of the ground that every cut keeps."""
        pieces = []
        for triangle in self._triangles:
            ring = [to_degrees((corner[0], corner[1])) for corner in _cut(triangle, cuts)]
            if len(set(ring)) >= 3 and (polygon := Polygon(ring)).is_valid and polygon.area > 0:
                pieces.append(polygon)
        return [_without_pinholes(part) for part in get_parts(normalize(unary_union(pieces)))]

    def _build(self) -> Iterator[list[Corner]]:
        columns = range(WEST_M, EAST_M + 1, STEP_M)
        rows = range(SOUTH_M, NORTH_M + 1, STEP_M)
        corner = {(x, y): (float(x), float(y), *self._values_at(x, y)) for x in columns for y in rows}
        for x in columns[:-1]:
            for y in rows[:-1]:
                right, top = x + STEP_M, y + STEP_M
                # the diagonal changes its side from square to square, else slopes look combed
                if (x + y) // STEP_M % 2:
                    yield [corner[x, y], corner[right, y], corner[right, top]]
                    yield [corner[x, y], corner[right, top], corner[x, top]]
                else:
                    yield [corner[x, y], corner[right, y], corner[x, top]]
                    yield [corner[right, y], corner[right, top], corner[x, top]]


def _cut(piece: list[Corner], cuts: tuple[Cut, ...]) -> list[Corner]:
    for measure, low, high in cuts:
        piece = _keep(piece, measure, low, above=True)
        if piece and high < math.inf:
            piece = _keep(piece, measure, high, above=False)
        if not piece:
            break
    return piece


def _keep(ring: list[Corner], measure: Callable[[Corner], float], level: float, above: bool) -> list[Corner]:
    """Return the part of a convex ring on one side of a level."""
    sides = [(measure(corner) >= level) == above for corner in ring]
    if all(sides):
        return ring
    if not any(sides):
        return []
    kept: list[Corner] = []
    for index, corner in enumerate(ring):
        after = (index + 1) % len(ring)
        if sides[index]:
            kept.append(corner)
        if sides[index] != sides[after]:
            kept.append(_crossing(corner, ring[after], measure, level))
    return kept


def _crossing(a: Corner, b: Corner, measure: Callable[[Corner], float], level: float) -> Corner:
    # sorted, so that both triangles at this edge compute the same point
    a, b = min(a, b), max(a, b)
    at_a, at_b = measure(a), measure(b)
    share = (level - at_a) / (at_b - at_a)
    return tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))


def _without_pinholes(polygon: Polygon) -> Polygon:
    """Drop holes under 10 m²: they come from rounding, not from the ground."""
    square_degrees_min = 1e-9
    holes = [ring for ring in polygon.interiors if Polygon(ring).area > square_degrees_min]
    return normalize(Polygon(polygon.exterior, holes))
