"""The ground of 葦原市: every layer is a function of a place, in metres from the city's south-west corner.

`mesh` asks these functions at the corners of its triangles; `make_city` turns the answers into layers.
Only + - * / and sqrt are used, so two machines compute the same numbers to the last bit.
"""

import hashlib
import math
from functools import cache
from itertools import pairwise
from typing import NamedTuple

# Open Pacific, over 200 km south of the Kii coast and 350 km west of the Izu islands: nobody lives here.
ORIGIN_LON = 136.0
ORIGIN_LAT = 31.5
METRES_PER_DEGREE_LON = 95002.3  # at 31.5 N
METRES_PER_DEGREE_LAT = 110878.1

Place = tuple[float, float]

RIVER_WIDTH_M = 360.0
# Points of the north bank of 大葦川, which flows from east to west.
NORTH_BANK: list[Place] = [
    (-600, 190), (0, 235), (1270, 318), (2470, 445), (3880, 565), (4900, 660), (6000, 765), (6600, 830),
]  # fmt: skip
# The tributary 古葦川, from the northern edge to the mouth.
TRIBUTARY: list[Place] = [
    (3420, 4060), (3350, 3700), (2950, 3180), (2800, 2500), (2560, 2150), (2080, 1790), (1640, 1470),
    (1400, 1180), (1310, 820), (1330, 322),
]  # fmt: skip
RAILWAY: list[Place] = [
    (-20, 3930), (390, 3735), (1400, 3560), (2600, 3390), (3450, 3350), (4030, 3265), (4640, 3020),
    (5150, 2710), (5600, 2440), (6020, 2270),
]  # fmt: skip

# Metres from the north bank, depth there on level ground; below 0 the ground rises out of the water.
DEPTH_BY_DISTANCE: list[Place] = [(0, 7.4), (820, 5.0), (1830, 3.0), (3000, 0.7), (3260, 0.0), (3700, -2.2)]

# Ground a few metres higher than its neighbours: old river banks, temple hills, filled land. The survey drew
# no depth there, so these become the holes. (x, y, half length east-west, half north-south, height in metres)
MOUNDS: list[tuple[float, float, float, float, float]] = [
    (720, 2330, 330, 190, 6.0), (1530, 2790, 400, 150, 5.0), (2330, 3420, 330, 150, 3.6),
    (3300, 2330, 330, 190, 6.5), (4480, 2960, 330, 150, 5.0), (5560, 2080, 250, 260, 7.0),
    (2300, 1060, 150, 130, 8.5), (800, 1010, 330, 130, 9.5), (4560, 1150, 330, 150, 9.5),
    (3560, 1560, 190, 120, 7.0), (3350, 860, 170, 90, 9.5), (5320, 3380, 300, 170, 3.6),
    (250, 3290, 260, 170, 3.6), (1780, 2010, 110, 150, 6.0), (4180, 2180, 150, 110, 6.0),
    (1950, 570, 210, 80, 9.5), (1050, 3450, 200, 110, 3.2), (2700, 2860, 90, 210, 4.4),
    (5000, 1650, 190, 100, 8.0), (380, 1560, 170, 90, 7.0), (2900, 1480, 160, 80, 7.0),
    (3880, 2620, 160, 100, 5.0), (1250, 620, 130, 70, 9.0), (3900, 3420, 230, 110, 3.4),
]  # fmt: skip


class District(NamedTuple):
    """One of the eight districts; `label` is where the map writes its name."""

    name: str
    kana: str
    label: Place
    pull: float  # metres by which the district reaches further than its neighbours


DISTRICTS: list[District] = [
    District("西原", "ニシハラ", (410, 2400), 0),
    District("新田", "シンデン", (1260, 2140), 120),
    District("本郷", "ホンゴウ", (3040, 2870), 150),
    District("柳橋", "ヤナギバシ", (1940, 1500), 130),
    District("下河原", "シモガワラ", (1150, 1030), 60),
    District("川辺", "カワベ", (2780, 820), 0),
    District("南町", "ミナミチョウ", (4040, 1080), 0),
    District("東町", "ヒガシチョウ", (5250, 2130), 60),
]


def to_degrees(place: Place) -> Place:
    """Return lon, lat with 6 decimals (about 0.1 m)."""
    x, y = place
    return (
        round(ORIGIN_LON + x / METRES_PER_DEGREE_LON, 6),
        round(ORIGIN_LAT + y / METRES_PER_DEGREE_LAT, 6),
    )


def to_metres(lon: float, lat: float) -> Place:
    """Return the metres of a position, the reverse of `to_degrees`."""
    return (lon - ORIGIN_LON) * METRES_PER_DEGREE_LON, (lat - ORIGIN_LAT) * METRES_PER_DEGREE_LAT


def inside_city(x: float, y: float) -> float:
    """Return metres inward from the city limit, negative outside; in the south it follows the mid-river."""
    west = x - 60 * noise(0, y, 900, 1)
    east = 6000 + 60 * noise(0, y, 900, 2) - x
    north = 3990 + 120 * noise(x, 0, 1100, 3) - y
    south = y - bank_y(x) + RIVER_WIDTH_M / 2
    return min(west, east, north, south)


def from_bank(x: float, y: float) -> float:
    """Return metres north of the north bank; the river lies between -RIVER_WIDTH_M and 0."""
    return y - bank_y(x)


@cache
def bank_y(x: float) -> float:
    """Return the y of the north bank, a curve through NORTH_BANK."""
    for (x0, y0), (x1, y1) in pairwise(NORTH_BANK):
        if x <= x1:
            share = (x - x0) / (x1 - x0)
            return y0 + (y1 - y0) * (0.6 * share + 0.4 * _smooth(share))
    return NORTH_BANK[-1][1]


@cache
def depth_m(x: float, y: float) -> float:
    """Return the depth of the largest assumed flood in metres; 0 and less is not assessed."""
    distance = from_bank(x, y)
    tilt = 0.00007 * (x - 3000)  # the east lies a little lower
    depth = tilt + _along(DEPTH_BY_DISTANCE, distance)
    depth += 0.85 * noise(x, y, 700, 4) + 0.55 * noise(x, y, 270, 5) + 0.2 * noise(x, y, 120, 12)
    levee = 2.6 if noise(x, y, 420, 6) > 0.02 else 0.65  # the tributary left its silt in stretches
    depth -= levee * max(0.0, 1 - distance_to(TRIBUTARY, x, y) / 150)
    depth -= 3.4 * max(0.0, 1 - distance_to(RAILWAY, x, y) / 110)  # the embankment
    bent_x, bent_y = x + 70 * noise(x, y, 240, 13), y + 70 * noise(x, y, 240, 14)  # no hill is an ellipse
    for mound in MOUNDS:
        depth -= _mound_height(mound, bent_x, bent_y)
    return min(depth, 9.6)


def duration_h(x: float, y: float) -> float:
    """Return how many hours the water stays; longest between the tributary's mouth and the dyke."""
    bag = max(0.0, 1 - ((x - 850) / 900) ** 2 - ((y - 620) / 420) ** 2)
    return 13 * depth_m(x, y) + 10 + 150 * bag + 9 * noise(x, y, 500, 7)


def flow_zone(x: float, y: float) -> float:
    """Return metres inward in the zone where the force of a breach throws down wooden houses."""
    return 260 + 170 * noise(x, 0, 800, 8) - from_bank(x, y)


def erosion_zone(x: float, y: float) -> float:
    """Return metres inward in the zone where the river eats the bank itself; only at the outer bends."""
    return 40 + 150 * noise(x, 0, 1300, 9) - from_bank(x, y)


def district_scores(x: float, y: float) -> list[float]:
    """Return one figure a district; the place belongs to the smallest."""
    x, y = x + 110 * noise(x, y, 650, 10), y + 110 * noise(x, y, 650, 11)
    return [math.sqrt((x - d.label[0]) ** 2 + (y - d.label[1]) ** 2) - d.pull for d in DISTRICTS]


def district_of(x: float, y: float) -> District:
    """Return the district of a place."""
    scores = district_scores(x, y)
    return DISTRICTS[scores.index(min(scores))]


def distance_to(line: list[Place], x: float, y: float) -> float:
    """Return metres from a place to the nearest point of a line."""
    best = math.inf
    for (x0, y0), (x1, y1) in pairwise(line):
        dx, dy = x1 - x0, y1 - y0
        share = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)))
        best = min(best, (x - x0 - share * dx) ** 2 + (y - y0 - share * dy) ** 2)
    return math.sqrt(best)


def noise(x: float, y: float, wave_m: float, layer: int) -> float:
    """Return smooth unevenness between -1 and 1 with bumps about `wave_m` wide; layers differ."""
    i, j = math.floor(x / wave_m), math.floor(y / wave_m)
    u, v = _smooth(x / wave_m - i), _smooth(y / wave_m - j)
    low = _corner(i, j, layer) * (1 - u) + _corner(i + 1, j, layer) * u
    high = _corner(i, j + 1, layer) * (1 - u) + _corner(i + 1, j + 1, layer) * u
    return low * (1 - v) + high * v


@cache
def _corner(i: int, j: int, layer: int) -> float:
    word = hashlib.sha256(f"{layer}/{i}/{j}".encode()).digest()[:4]
    return int.from_bytes(word, "big") / 2**31 - 1


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _along(steps: list[tuple[float, float]], at: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(steps):
        if at <= x1:
            return y0 + (y1 - y0) * max(0.0, at - x0) / (x1 - x0)
    return steps[-1][1]


def _mound_height(mound: tuple[float, float, float, float, float], x: float, y: float) -> float:
    mid_x, mid_y, half_x, half_y, height = mound
    # 1.35: the foot of the mound reaches further than its top, so the ranks step down around it
    if abs(x - mid_x) > 1.35 * half_x or abs(y - mid_y) > 1.35 * half_y:
        return 0.0
    share = math.sqrt(((x - mid_x) / half_x) ** 2 + ((y - mid_y) / half_y) ** 2) / 1.35
    return 1.5 * height * _smooth(1 - share)
