"""The API's description of itself, OpenAPI 3.1, made from the nouns' own checks. Public: it holds no data.

apispec and pydantic are imported at the first request: a node must start in under two seconds.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from app import records
from app.permissions import public
from app.records import damage_report_people, muster_safety, nodes, staff_contacts
from sync.kinds import Kind

VERSION = "1.0.0"
EXPORTS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_FILES = ("attachments",)  # a file is sent as it is, and described by the node
_READ_TIMES = {"type": "string", "format": "date-time", "readOnly": True}
_PROBLEMS = {
    "400": "The request cannot be read",
    "401": "No token, or one that is not known here",
    "403": "The role or the device may not do this",
    "404": "Nothing has this id here",
    "409": "The id belongs to other content, or the disk of this node is full (`store_full`)",
    "412": "If-Match names nothing of this record",
    "413": "The body is larger than 64 KiB; a file than 12 MB",
    "415": "The body is not application/json",
    "422": "A value is wrong; `field` names it",
    "428": "If-Match is needed",
    "503": "This node cannot do it now; nothing was kept",
}


# Which say the incident by themselves.
_PARENTS = ("channel_id", "instruction_id", "hq_meeting_id", "patrol_id", "muster_id")
# Fields that are sealed beside a record: whoever may writes them with it; they are read with `include=sealed` alone.
_SEALED = {"damage-reports": damage_report_people, "staff": staff_contacts, "muster-replies": muster_safety}
_READ_ON_A_PAGE = ("staff",)  # what is sealed beside them is never in an answer
READ_ONLY = ("layers",)  # an import writes them, never a client


def register(blueprint: Blueprint, node: Any) -> None:
    @public
    def description() -> Response:
        return jsonify(document())

    blueprint.add_url_rule("/api/openapi.json", "openapi", description)


@functools.cache
def document() -> dict[str, Any]:
    """The whole description."""
    from apispec import APISpec

    spec = APISpec("Tomoshibi", VERSION, "3.1.0", info={"description": "灯 Tomoshibi, HTTP API version 1"})
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for name, schema in _answers().items():
        spec.components.schema(name, schema)
    for status, text in _PROBLEMS.items():
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        spec.components.response(f"Problem{status}", {"description": text, "content": content})
    for kind in (*(noun.kind for noun in records.NOUNS.values()), nodes.KIND):
        if kind.name not in _FILES:
            _collection(spec, kind)
            _exports(spec, kind)
    _attachments(spec)
    for path, operation in _others().items():
        spec.path(path, operations={"get": operation})
    return spec.to_dict()


def _answers() -> dict[str, Any]:
    """The schemas of the answers that are not records."""
    from pydantic.json_schema import models_json_schema

    from app.api.shape import ANSWERS

    asked = [(model, "serialization") for model in ANSWERS]
    _, found = models_json_schema(asked, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return found["$defs"]


def _collection(spec: Any, kind: Kind) -> None:
    name, noun = _schema_name(kind), None if kind.name in READ_ONLY else records.NOUNS.get(kind.name)
    shown, posted = _record_schemas(kind)
    spec.components.schema(name, shown)
    listing = {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": _ref(name)},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    spec.components.schema(f"{name}Page", listing)
    many: dict[str, Any] = {"get": _operation(kind, f"List {kind.name}, newest first", f"{name}Page", _filters(kind))}
    include = {"name": "include", "in": "query", "schema": {"type": "string", "enum": ["sealed"]}}
    asked = [include] if kind.name in _SEALED and kind.name not in _READ_ON_A_PAGE else []
    one: dict[str, Any] = {"get": _operation(kind, f"One of {kind.name}", name, asked)}
    if noun is not None:
        spec.components.schema(f"{name}Create", posted)
        create = _operation(kind, f"Make one of {kind.name}", name, [], "201", posts=f"{name}Create")
        create["responses"]["200"] = _json(name, "The same id and content were here already")
        many["post"] = create
        if not kind.entry:
            edit = {key: value for key, value in posted.items() if key != "required"}
            edit["properties"] = {
                key: value for key, value in posted["properties"].items() if key not in ("id", "incident_id")
            }
            spec.components.schema(f"{name}Edit", {**edit, "minProperties": 1})
            header = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
            one["patch"] = _operation(kind, f"Change one of {kind.name}", name, [header], posts=f"{name}Edit")
    path = f"/api/v1/{kind.name}"
    by_id = [{"name": "record_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}]
    spec.path(path, operations=many)
    spec.path(f"{path}/{{record_id}}", operations=one, parameters=by_id)
    history = _operation(kind, "Every operation on the record, oldest first", "History", [])
    spec.path(f"{path}/{{record_id}}/history", operations={"get": history}, parameters=by_id)


def _attachments(spec: Any) -> None:
    """Files: one is sent as multipart, and read back by its hash, in ranges if wanted."""
    create = _operation(None, "Send a photo or a voice memo of up to 12 MB", "Attachment", [], "201")
    create["responses"]["200"] = _json("Attachment", "The same file was here already")
    body = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    create["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": body}}}
    show = _operation(None, "The bytes of a file that is here", "Attachment", [])
    anything = {"schema": {"type": "string", "format": "binary"}}
    for status, text in (("200", "The file"), ("206", "The range that was asked for")):
        show["responses"][status] = {"description": text, "content": {"*/*": anything}}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    by_hash = [{"name": "sha256", "in": "path", "required": True, "schema": digest}]
    spec.path("/api/v1/attachments", operations={"post": create})
    spec.path("/api/v1/attachments/{sha256}", operations={"get": show}, parameters=by_hash)


def _record_schemas(kind: Kind) -> tuple[dict[str, Any], dict[str, Any]]:
    """(as GET shows it, as POST takes it)"""
    noun = records.NOUNS.get(kind.name)
    checks: Mapping[str, Any] = noun.checks if noun else {}
    needed = noun.needed if noun else ()
    fields = {name: _nullable(dict(checks[name].schema), name not in (*needed, *_lists(kind))) for name in checks}
    ids: dict[str, Any] = {"id": {"type": "string", "format": "uuid"}}
    if not kind.city:
        ids["incident_id"] = {"type": "string", "format": "uuid"}
    aside = _SEALED[kind.name].NOUN.checks if kind.name in _SEALED else {}
    sealed = {name: _nullable({**check.schema, "writeOnly": True}, True) for name, check in aside.items()}
    given = {name: {"readOnly": True} for name in kind.fields if name not in checks}
    shown = {
        **ids,
        "number": {"type": ["string", "null"], "readOnly": True},
        **given,
        **fields,
        "created_at": _READ_TIMES,
        "updated_at": _READ_TIMES,
        "author": {"type": ["string", "null"], "readOnly": True},
        "node": {"type": "string", "readOnly": True},
        "conflicts": {"type": "integer", "readOnly": True},
    }
    required = list(needed)
    if not kind.city and not any(parent in needed for parent in _PARENTS):
        required.append("incident_id")
    body = {
        "type": "object",
        "properties": {**ids, **fields, **sealed},
        "required": required,
        "additionalProperties": False,
    }
    return {"type": "object", "properties": shown}, body


def _lists(kind: Kind) -> list[str]:
    """The fields that are never null: an empty set is []."""
    return [name for name, spec in kind.fields.items() if spec.merge == "set" or name == "attachments"]


def _nullable(schema: dict[str, Any], empties: bool) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if empties else schema


def _filters(kind: Kind) -> list[dict[str, Any]]:
    names: dict[str, dict[str, Any]] = {
        "since": {"type": "string", "format": "date-time"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 500},
        "cursor": {"type": "string"},
    }
    if not kind.city:
        names["incident_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "damage-reports":
        names |= {"status": {"type": "string"}, "bbox": {"type": "string"}}
    if kind.name == "chat-messages":
        names["channel_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "instructions":
        names["damage_report_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "hq-meeting-decisions":
        names["hq_meeting_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "bulletins":
        names["category"] = {"type": "string"}
    if kind.name == "instruction-replies":
        names["instruction_id"] = {"type": "string", "format": "uuid"}
    if kind.name in ("patrol-points", "patrol-tracks"):
        names["patrol_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "muster-replies":
        names["muster_id"] = {"type": "string", "format": "uuid"}
    if kind.name == "staff":
        names["team"] = {"type": "string", "format": "uuid"}
    if kind.name in ("head-counts", "shelter-openings"):
        names["shelter_id"] = {"type": "string", "format": "uuid"}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in names.items()]


def _operation(
    kind: Kind | None,
    summary: str,
    schema: str,
    parameters: list[dict[str, Any]],
    status: str = "200",
    posts: str = "",
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": summary,
        "security": [{"bearer": []}],
        "parameters": parameters,
        "responses": {status: _json(schema, summary), **{number: f"Problem{number}" for number in _PROBLEMS}},
    }
    if kind is not None:
        told["tags"] = [kind.name]
    if posts:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(posts)}}}
    return told


def _exports(spec: Any, kind: Kind) -> None:
    incident = {"name": "incident_id", "in": "query", "schema": {"type": "string", "format": "uuid"}}
    for form, media_type in EXPORTS.items():
        told = _operation(kind, f"The records of {kind.name} as a table", "Problem", [] if kind.city else [incident])
        content = {media_type: {"schema": {"type": "string", "contentMediaType": media_type}}}
        told["responses"]["200"] = {"description": "The table, as a file", "content": content}
        spec.path(f"/api/v1/export/{kind.name}.{form}", operations={"get": told})


def _others() -> dict[str, dict[str, Any]]:
    incident = {"name": "incident_id", "in": "query", "schema": {"type": "string", "format": "uuid"}}
    record = {
        "name": "record_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    place = [
        {"name": name, "in": "query", "required": name != "accuracy_m", "schema": {"type": "number"}}
        for name in ("lat", "lon", "accuracy_m")
    ]
    health = _operation(None, "Whether this node answers", "Health", [])
    return {
        "/healthz": {**health, "security": []},
        "/api/v1/status": _operation(None, "What this node knows", "Status", []),
        "/api/v1/conflicts": _operation(None, "Fields with several values", "Conflicts", [incident]),
        "/api/v1/contradictions": _operation(
            None, "What cannot both be so in an incident", "Contradictions", [{**incident, "required": True}]
        ),
        "/api/v1/totals": _operation(None, "Totals of an incident", "Totals", [{**incident, "required": True}]),
        "/api/v1/hazard": _operation(None, "What is assumed to happen at a position", "Hazard", place),
        "/api/v1/delivery/{record_id}": _operation(None, "How far a record has got", "Delivery", [record]),
    }


def _json(schema: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _schema_name(kind: Kind) -> str:
    return "".join(part.capitalize() for part in kind.name.removesuffix("s").split("-"))
