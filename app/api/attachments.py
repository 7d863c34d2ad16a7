"""Files of the API: one is sent and gets its SHA-256, a record names it, anyone who may read gets it back.

Before: ``security`` knows the person. After: ``intake`` makes the file anew; its bytes lie in ``node.blobs``.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, url_for

from app.intake import upload
from app.permissions import permission
from app.views import ranges


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("attachments", "create")
    def create() -> tuple[Response, int]:
        taken = current_app.extensions["intake"].take(upload.only_file())
        answer = jsonify({name: taken.facts[name] for name in ("sha256", "size", "media_type")})
        answer.headers["Location"] = url_for("api.attachments_show", sha256=taken.sha256)
        return answer, 201 if taken.fresh else 200

    @permission("attachments", "read")
    def show(sha256: str) -> Response:
        return ranges.attachment(node, sha256, inline=False)

    blueprint.add_url_rule("/api/v1/attachments", "attachments_create", create, methods=["POST"])
    blueprint.add_url_rule("/api/v1/attachments/<sha256>", "attachments_show", show)
