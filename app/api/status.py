"""Is this node alive, and what does it know: the two questions that other machines ask most."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from app.api import wire
from app.permissions import permission, public


def register(blueprint: Blueprint, node: Any) -> None:
    @public
    def healthz() -> Response:
        node.reader().execute("SELECT 1").fetchone()
        return jsonify(ok=True)

    @permission("status", "read")
    def status() -> Response:
        return jsonify(with_times(node.status()))

    blueprint.add_url_rule("/healthz", "healthz", healthz)
    blueprint.add_url_rule("/api/v1/status", "status", status)


def with_times(value: Any) -> Any:
    """The same with every time (a name that ends in ``_at``) in ISO 8601, bytes in hexadecimal digits."""
    if isinstance(value, dict):
        return {
            name: wire.show_time(item) if wire.is_time(str(name)) and type(item) is int else with_times(item)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [with_times(item) for item in value]
    return wire.plain(value)
