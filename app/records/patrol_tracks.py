"""The way that a round took (軌跡): points in batches, one operation for several minutes. A ledger.

A batch is one unbroken piece. Where something is missing before it, ``gap`` says why; no page draws a line there.
"""

from __future__ import annotations

import itertools
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

POINTS_MAX = 300  # of some 30 bytes: under the 16 KiB of a body
ACCURACY_M_MAX = 100_000

KIND = Kind(
    "patrol-tracks",
    entry=True,
    fields={"patrol_id": Field("id"), "points": Field("json"), "gap": Field("text")},
)

_POINT = {
    "type": "array",
    "prefixItems": [
        {"type": "number", "minimum": -180, "maximum": 180},
        {"type": "number", "minimum": -90, "maximum": 90},
        {"type": "string", "format": "date-time"},
        {"type": ["number", "null"], "minimum": 0, "maximum": ACCURACY_M_MAX},
    ],
    "minItems": 3,
    "maxItems": 4,
}
_ACCURACY = shape.real(0, ACCURACY_M_MAX)


def _points(field: str, value: Any) -> list[list[Any]]:
    """[[lon, lat, time in ms, accuracy in metres or null]], in the order of time."""
    if not isinstance(value, list) or not 1 <= len(value) <= POINTS_MAX:
        hint = f"Send 1 to {POINTS_MAX} points as [[longitude, latitude, time, accuracy_m]]."
        shape.refuse("bad_track", field, "is not a list of points", hint)
    found = [_point(field, point) for point in value]
    if any(one[2] > next_one[2] for one, next_one in itertools.pairwise(found)):
        shape.refuse("bad_track", field, "goes back in time", "Send the points in the order of time.")
    return found


def _point(field: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        shape.refuse("bad_track", field, "holds what is no point", "Send [longitude, latitude, time, accuracy_m].")
    lon, lat = shape.point(field, value[:2])
    accuracy = value[3] if len(value) == 4 else None
    checked = None if accuracy is None else _ACCURACY(field, accuracy) + 0.0
    return [lon + 0.0, lat + 0.0, shape.moment(field, value[2]), checked]


NOUN = Noun(
    KIND,
    checks={
        "patrol_id": shape.an_id,
        "points": shape.Check(_points, {"type": "array", "items": _POINT, "minItems": 1, "maxItems": POINTS_MAX}),
        "gap": shape.choice(catalog.table("track_gaps").codes),
    },
    needed=("patrol_id", "points"),
)
create, edit = NOUN.create, NOUN.edit
