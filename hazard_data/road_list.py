"""Roads and the railway of 葦原市, in metres; crossings become shared points, as a routing graph needs."""

from typing import Any, NamedTuple

from shapely import LineString, Point

from hazard_data.ground import RAILWAY, Place, from_bank, inside_city, to_degrees


class Road(NamedTuple):
    """One way; `level` is 0 on the ground, 1 on a bridge, -1 in an underpass (only equal levels cross)."""

    name: str
    kind: str
    line: list[Place]
    level: int = 0
    structure: str | None = None


MAIN: list[Road] = [
    Road("県道12号", "main", [(1460, 3980), (1570, 2470), (1640, 1880), (1710, 1230), (1800, 430)]),
    Road("県道5号", "main", [(3290, 4010), (3300, 3010), (3325, 1860), (3380, 1210), (3450, 580)]),
    Road("葦原橋", "main", [(3450, 580), (3490, 100)], 1, "bridge"),
    Road("県道31号", "main", [(4950, 4000), (4880, 2900), (4830, 1800), (4780, 680)]),
    Road("中央通り", "main", [(0, 1890), (1640, 1880), (2080, 1850), (2330, 1835)]),
    Road("柳橋アンダーパス", "main", [(2330, 1835), (2560, 1818), (2790, 1805)], -1, "underpass"),
    Road("中央通り", "main", [(2790, 1805), (3325, 1800), (4830, 1830), (6000, 1880)]),
    Road("北大通り", "main", [(0, 2970), (1530, 3000), (3300, 3010), (4880, 3040), (6000, 3120)]),
]
STREETS: list[Road] = [
    Road("新田通り", "street", [(0, 2470), (1570, 2470), (3310, 2440), (4860, 2480), (6000, 2520)]),
    Road("河原通り", "street", [(0, 1260), (1710, 1230), (3380, 1210), (4800, 1220), (6000, 1270)]),
    Road("西原通り", "street", [(620, 3650), (620, 2470), (640, 1260), (640, 620)]),
    Road("公園通り", "street", [(1010, 3600), (990, 2470), (1000, 1260)]),
    Road("学校通り", "street", [(1930, 3450), (1950, 2470), (2010, 2200)]),
    Road("柳橋通り", "street", [(2380, 3400), (2400, 2460), (2540, 1818), (2420, 1220), (2480, 560)]),
    Road("文化会館通り", "street", [(2790, 3380), (2830, 2450), (2880, 1805), (2900, 1215)]),
    Road("本郷通り", "street", [(3740, 3900), (3750, 2450), (3770, 1215)]),
    Road("南町通り", "street", [(4110, 3900), (4120, 2460), (4130, 1215), (4160, 690)]),
    Road("東町通り", "street", [(5560, 3900), (5590, 2500), (5640, 1880), (5650, 880)]),
    Road("桜台公園通り", "street", [(4500, 2870), (4500, 2020), (4510, 1220)]),
    Road("堤防下通り", "street", [(640, 620), (1790, 560), (2480, 640), (3420, 740), (4780, 840), (5650, 900)]),
]
LANE_GAP_M = 210
LANE_SHORTEST_M = 150


def road_features() -> list[dict[str, Any]]:
    """Return main roads, streets, lanes and the railway as GeoJSON features."""
    named = MAIN + STREETS
    roads = _cross(named + _lanes(named))
    roads.append(Road("葦原線", "railway", RAILWAY, 1, "embankment"))
    return [_feature(road) for road in roads]


def _lanes(named: list[Road]) -> list[Road]:
    """Return the nameless grid between the named roads, with blocks left out where fields and yards are."""
    lanes: list[list[Place]] = []
    for number, at in enumerate(range(110, 6000, LANE_GAP_M)):
        for low, high in _runs(number, 700, 3700):
            lanes.append([(at + 0.02 * (2000 - low), low), (at + 0.02 * (2000 - high), high)])
    for number, at in enumerate(range(480, 3800, LANE_GAP_M)):
        for low, high in _runs(number + 50, 60, 5960):
            lanes.append([(low, at + 0.02 * low), (high, at + 0.02 * high)])
    kept = [line for line in lanes if _is_lane(line, named)]
    return [Road("", "lane", line) for line in kept]


def _runs(number: int, low: int, high: int) -> list[tuple[int, int]]:
    """Return the stretches of one lane; 7 and 11 only make neighbours differ."""
    length, gap = 700 + 130 * (number * 7 % 5), 240 + 90 * (number * 11 % 4)
    first = low + 130 * (number * 3 % 6)
    starts = range(first, high - LANE_SHORTEST_M, length + gap)
    return [(start, min(start + length, high)) for start in starts]


def _is_lane(line: list[Place], named: list[Road]) -> bool:
    inside = all(from_bank(x, y) > 130 and inside_city(x, y) > 40 for x, y in line)
    lane = LineString(line)
    clear = all(lane.intersection(LineString(road.line).buffer(45)).length < 200 for road in named)
    return inside and clear and not lane.intersects(LineString(RAILWAY).buffer(15))


def _cross(roads: list[Road]) -> list[Road]:
    """Put a shared point into both roads wherever two of one level meet; a road's own ends are met too."""
    shapes = [LineString(road.line) for road in roads]
    extra: list[set[Place]] = [set() for _ in roads]
    for first, a in enumerate(shapes):
        for second in range(first + 1, len(roads)):
            if roads[first].level != roads[second].level or not a.intersects(shapes[second]):
                continue
            for point in getattr(meet := a.intersection(shapes[second]), "geoms", [meet]):
                if isinstance(point, Point):
                    extra[first].add((point.x, point.y))
                    extra[second].add((point.x, point.y))
    return [
        road._replace(line=_with_points(shape, sorted(points)))
        for road, shape, points in zip(roads, shapes, extra, strict=True)
    ]


def _with_points(shape: LineString, points: list[Place]) -> list[Place]:
    where = {shape.project(Point(point)): point for point in [*shape.coords, *points]}
    return [where[distance] for distance in sorted(where)]


def _feature(road: Road) -> dict[str, Any]:
    line: list[Place] = []
    for place in map(to_degrees, road.line):
        if not line or line[-1] != place:
            line.append(place)
    return {
        "type": "Feature",
        "properties": {
            "name": road.name or None,
            "class": road.kind,
            "level": road.level,
            "structure": road.structure,
            "note": "訓練用(架空)",
        },
        "geometry": {"type": "LineString", "coordinates": line},
    }
