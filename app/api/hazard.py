"""What is assumed to happen at a position: the flood's depth and duration, collapse zones, landslides.

A part is null where this node has no layer of it. ``quality`` outside or hole, rank null: *not assessed*, never safe.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api import paging
from app.permissions import permission

NAMES = ("lat", "lon", "accuracy_m")


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("hazard", "read")
    def shown() -> Response:
        paging.check_names(request.args, NAMES)
        lat = paging.number(request.args, "lat", -90, 90)
        lon = paging.number(request.args, "lon", -180, 180)
        accuracy_m = paging.number(request.args, "accuracy_m", 0, 100_000) if "accuracy_m" in request.args else None
        return jsonify(node.layers.hazard_at(lon, lat, accuracy_m))

    blueprint.add_url_rule("/api/v1/hazard", "hazard", shown)
