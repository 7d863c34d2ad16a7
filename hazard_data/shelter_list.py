"""The 28 shelters of 葦原市, read from sites.csv, where places are metres as in `ground`.

All stand in the flooded area: what counts is the lowest floor that stays dry. The last two rows do not clear
the assumed water at all, because training must meet that too.
"""

import csv
import hashlib
import uuid
from pathlib import Path
from typing import Any

from hazard_data.ground import to_degrees

SITES = Path(__file__).with_name("sites.csv")
FIRST_ID_MS = 1490886000000  # 2017-03-31 00:00 +09:00, the day the invented survey was published


def shelter_rows() -> list[dict[str, Any]]:
    """Return the shelters as they stand in shelters.json."""
    with SITES.open(encoding="utf-8", newline="") as file:
        return [_row(number, site) for number, site in enumerate(csv.DictReader(file), start=1)]


def _row(number: int, site: dict[str, str]) -> dict[str, Any]:
    common_id = f"E99999{number:05}111"
    low, _, high = site["floors"].partition("-")  # "3-4" means the third and the fourth
    floors = range(int(low), int(high or low) + 1)
    people = int(site["capacity_by_floor"])
    return {
        "id": _record_id(common_id, number),
        "common_id": common_id,
        "name": site["name"],
        "kana": site["kana"],
        "kind": site["kind"],
        "district": site["district"],
        "address": f"葦原市{site['district']}{site['block']}",
        "location": list(to_degrees((float(site["x_m"]), float(site["y_m"])))),
        "capacity": people * len(floors),
        "usable_floors": [f"{floor}F" for floor in floors],
        "usable_floors_label": f"{site['rooms']}({'・'.join(f'{floor}階' for floor in floors)})",
        "capacity_by_floor": {f"{floor}F": people for floor in floors},
        "note": "訓練用(架空)",
    }


def _record_id(common_id: str, number: int) -> str:
    """Return a uuid of version 7 whose random part comes from the common id, so that it never changes."""
    random = int.from_bytes(hashlib.sha256(common_id.encode()).digest()[:10], "big")
    version, variant = 0x7 << 76, 0b10 << 62
    tail = (random >> 68 & 0xFFF) << 64 | random & (1 << 62) - 1
    return str(uuid.UUID(int=(FIRST_ID_MS + number) << 80 | version | variant | tail))
