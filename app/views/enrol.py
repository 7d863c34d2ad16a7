"""The enrolment door over HTTP: the only thing that a node which is not enrolled gets. JSON in, JSON out.

No login and no CSRF token: each request carries a proof that its sender holds a one-time code.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api import strict_json
from app.enrol_door import Door
from app.errors import AppError
from app.permissions import public
from app.tls import door as tls_door


def blueprint_for(node: Any) -> Blueprint:
    blueprint, door = Blueprint("enrol", __name__, url_prefix="/enrol/v1"), Door(node)

    @blueprint.get("/hello")
    @public
    def hello() -> Response:
        return jsonify(door.hello())

    @blueprint.post("/request")
    @public
    def ask() -> Response:
        return jsonify(door.request(strict_json.read_object(request)))

    @blueprint.post("/tls")
    @public
    def renew() -> Response:
        return jsonify(tls_door.renew(node, strict_json.read_object(request)))

    @blueprint.errorhandler(AppError)
    def refused(error: AppError) -> tuple[Response, int]:
        problem = {"title": error.code, "status": error.status, "code": error.code, "detail": error.message}
        response = jsonify({**problem, "hint": error.hint})
        response.content_type = "application/problem+json"
        return response, error.status

    return blueprint
