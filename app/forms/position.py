"""Where a device stood when somebody tapped, as pages send it beside what was tapped. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def stood_at(form: Mapping[str, str]) -> dict[str, Any]:
    """``location`` [lon, lat] in degrees, ``accuracy_m`` in metres; nothing where the device did not know."""
    try:
        lon, lat = float(form.get("lon", "")[:32]), float(form.get("lat", "")[:32])
    except ValueError:
        return {}
    accuracy = form.get("accuracy_m", "").strip()[:32]
    return {"location": [lon, lat], **({"accuracy_m": float(accuracy)} if accuracy.isdecimal() else {})}
