"""The enrolment door over HTTP: the only thing that a node which is not enrolled gets. JSON in, JSON out.

No login and no CSRF token: each request carries a proof that its sender holds a one-time code.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.enrol_door import Door
from app.errors import AppError, BadRequest
from app.permissions import public

REQUEST_BYTES_MAX = 8_192


def blueprint_for(node: Any) -> Blueprint:
    blueprint, door = Blueprint("enrol", __name__, url_prefix="/enrol/v1"), Door(node)

    @blueprint.get("/hello")
    @public
    def hello() -> Response:
        return jsonify(door.hello())

    @blueprint.post("/request")
    @public
    def ask() -> Response:
        if (request.content_length or 0) > REQUEST_BYTES_MAX:
            raise BadRequest(
                "too_large", "this is no enrolment request", "Use a terminal of the same release."
            )
        return jsonify(door.request(request.get_json(force=True, silent=True)))

    @blueprint.errorhandler(AppError)
    def refused(error: AppError) -> tuple[Response, int]:
        problem = {"title": error.code, "status": error.status, "code": error.code, "detail": error.message}
        response = jsonify({**problem, "hint": error.hint})
        response.content_type = "application/problem+json"
        return response, error.status

    return blueprint
