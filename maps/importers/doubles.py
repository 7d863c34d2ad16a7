"""Two lines that are one shelter, and a line that lies far from all others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from maps.importers.tables import column
from maps.layers import Fault

SAME_PLACE_M = 100.0  # two lists of one city put one building up to some tens of metres apart
KIND_OF_ID = slice(11, 13)  # 11 and 12 are shelters, 20 is an emergency site
FAR_KM = 150.0  # a prefecture's list fits; a digit that is wrong does not


class Doubles:
    """Remembers the rows that were taken."""

    def __init__(self) -> None:
        self._ids: dict[str, tuple[int, str]] = {}
        self._names: dict[str, list[tuple[int, list[float] | None, str | None]]] = {}

    def of(self, record: dict[str, Any]) -> Fault | None:
        """The fault where an earlier row is the same shelter; otherwise the row is remembered."""
        line, name = record["line"], column(record["name"])
        given = record.get("common_id")
        if given is not None and given in self._ids:
            first, its_name = self._ids[given]
            same = "Leave one of the two out." if its_name == name else "Give this shelter an id of its own."
            return Fault(line, "common_id", given, f"is the id of line {first}, too", same)
        for first, place, its_id in self._names.get(name, ()):
            if near(place, record.get("location")) and may_be_one(its_id, given):
                return Fault(line, "name", record["name"], f"is on line {first}, too", "Leave one of the two out.")
        if given is not None:
            self._ids[given] = (line, name)
        self._names.setdefault(name, []).append((line, record.get("location"), given))
        return None


def near(one: Sequence[float] | None, two: Sequence[float] | None) -> bool:
    """Whether two positions are one place; where one is not known they are."""
    return one is None or two is None or distance_m(one, two) <= SAME_PLACE_M


def may_be_one(one: str | None, two: str | None) -> bool:
    """Two common ids of one list are two; an emergency site and a shelter of one name and place are one building."""
    return not (one and two) or one == two or one[KIND_OF_ID] != two[KIND_OF_ID]


def distance_m(one: Sequence[float], two: Sequence[float]) -> float:
    """Between two positions [lon, lat], good enough for a city."""
    middle = math.radians((one[1] + two[1]) / 2)
    return math.hypot((one[0] - two[0]) * 111_320 * math.cos(middle), (one[1] - two[1]) * 110_950)


def refuse_far(records: list[dict[str, Any]]) -> list[Fault]:
    """Take the position off the rows that lie far from the middle of the list, with a fault each."""
    placed = [record["location"] for record in records if "location" in record]
    if len(placed) < 3:
        return []
    middle = [sorted(place[axis] for place in placed)[len(placed) // 2] for axis in (0, 1)]
    faults = []
    for record in records:
        place = record.get("location")
        if place is None or (away := distance_m(place, middle) / 1000) <= FAR_KM:
            continue
        del record["location"]
        told = f"lies {away:.0f} km from the middle of the list"
        where = f"Check the digits: the others lie near latitude {middle[1]:.2f}, longitude {middle[0]:.2f}."
        faults.append(Fault(record["line"], "location", f"{place[1]}, {place[0]}", told, where))
    return faults
