"""What every collection of the API does: list, show, make, change, history. A noun's module adds its own
rules.

Before: ``security`` knows the person, ``strict_json`` and ``wire`` give a form. Then ``records/<noun>``
makes a Change, ``node.write`` makes it durable, and the answer is the record as GET shows it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Response, g, jsonify, request, url_for

from app import permissions
from app.api import paging, strict_json, wire
from app.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from app.intake import naming
from app.queries import incidents, row
from app.queries.row import Record, Where
from app.records import CITY, Noun, etag, judge, shape
from app.records.same_content import same_content
from app.store.projection import incident_of as incident_of_scope
from sync.authoring import Exists, Missing, Recorded
from sync.kinds import Kind
from sync.operation import Change, Version

HISTORY_MAX = 500
_ID_HINT = "Send a UUID of version 7 (RFC 9562), or leave the id out."


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class Sealed:
    """Fields that a record has in a sealed kind of its own, under its id: taken with it, shown only where asked for.

    ``audit`` None: they are read on a page only. What is the city's has no incident whose ledger could tell of it.
    """

    noun: Noun
    node: Any
    audit: Any

    def taken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The sealed fields of a body, which no longer has them. Raises Forbidden, Invalid."""
        found = {name: body.pop(name) for name in self.noun.checks if name in body}
        if found:
            permissions.require(g.person, "create", self.noun.kind.name)
        return self.noun.clean(found)

    def change(self, fields: Mapping[str, Any], record_id: uuid.UUID, scope: bytes) -> Sequence[Change]:
        """Who may read what stands there replaces it; anybody else adds to it."""
        if not fields:
            return ()
        edits = permissions.allowed(g.person.role, "edit", self.noun.kind.name) and self.node.sealing.holds()
        return (Change(self.noun.kind.name, record_id.bytes, scope, fields, replaces=None if edits else ()),)

    def shown(self, record: Record) -> dict[str, Any]:
        """The sealed fields, once the reading is written down. Raises Forbidden, StoreUnavailable."""
        permissions.require(g.person, "read", self.noun.kind.name)
        if self.audit is None:
            raise Forbidden("read_on_a_page", "This is read on its page, in an incident.", "Open the page at HQ.")
        if not self.node.sealing.holds():
            raise Forbidden("no_key_here", "This node has no key to open it.", "Ask the hub.")
        self.audit.before_reading(g.person.id, record.kind, record, "api")
        where = Where().also("id = ?", record.id).also("scope = ?", record.scope)
        found = row.select(self.node.reader(), self.noun.kind, where, "LIMIT 1")
        return {name: found[0].fields[name] if found else None for name in self.noun.checks}


@dataclass(frozen=True)
class Collection:
    """One collection. The hooks are a noun's own rules; each raises, or returns what is said with it.

    ``given``: fields that the server fills in a new record, from (collection, form). ``told``: those that it writes
    beside a change, from (record, form). ``check``: is this
    form right for the record of this id (None: a new one)? ``filters``: conditions of the list beyond
    incident_id and since, and ``parameters`` their names. ``composed``: what the server puts into a new record of an
    incident. ``visible``: may this person see the record?
    """

    kind: Kind
    node: Any
    noun: Noun | None = None
    parameters: tuple[str, ...] = ()
    given: Callable[[Collection, Mapping[str, Any]], dict[str, Any]] = lambda collection, form: {}
    edited: Callable[[Collection, Record], dict[str, Any]] = lambda collection, record: {}
    told: Callable[[Record, Mapping[str, Any]], dict[str, Any]] = lambda record, form: {}
    check: Callable[[Collection, Mapping[str, Any], str, Record | None], None] = _nothing
    filters: Callable[[Any, Where], Where] = lambda args, where: where
    visible: Callable[[Record], bool] = lambda record: True
    hidden: Callable[[Any, Where], Where] = lambda db, where: where
    incident_of: Callable[[Any, Mapping[str, Any]], str | None] = lambda db, body: None
    composed: Callable[[Any, str], dict[str, Any]] = lambda db, incident_id: {}
    named: Callable[[str, Mapping[str, Any]], uuid.UUID | None] = _nothing  # an id that follows from what a record is
    filled: tuple[str, ...] = field(default=())  # not compared when a record is posted again
    sealed: Sealed | None = None

    @property
    def name(self) -> str:
        return self.kind.name

    # -- reading ---------------------------------------------------------------------------------

    def list(self) -> Response:
        own = () if self.kind.city else ("incident_id",)
        paging.check_names(request.args, (*own, "since", "limit", "cursor", *self.parameters))
        limit, db = paging.limit(request.args), self.node.reader()
        found = row.page(db, self.name, self.where(request.args), limit, paging.cursor(request.args))
        items = [wire.to_wire(self.kind, record) for record in found.items]
        return jsonify(items=items, next_cursor=found.next_cursor)

    def show(self, record_id: str) -> Response:
        record, include = self._find(record_id), request.args.get("include")
        if include is None:
            return self._answer(record)
        if include != "sealed" or self.sealed is None:
            raise Invalid("unknown_parameter", "include names nothing of this record.", "Leave it out.", "include")
        answer = self.sealed.shown(record)  # written down first
        response = self._answer(record)
        response.set_data(jsonify({**response.get_json(), **answer}).get_data())
        return response

    def history(self, record_id: str) -> Response:
        record = self._find(record_id)
        lines = self.node.history(self.name, scope_of(record), record.id)
        return jsonify(record_id=record.id, items=[self._line(line) for line in lines[:HISTORY_MAX]])

    def where(self, args: Any) -> Where:
        """What the filters of a request and the sight of its person leave of this collection."""
        where, db = Where(), self.node.reader()
        incident_id = paging.record_id(args, "incident_id")
        if incident_id is not None:
            if incidents.get(db, incident_id) is None:
                raise NotFound("unknown_incident", "No incident has this id.", "List /api/v1/incidents.", "incident_id")
            where = where.also("incident_id = ?", incident_id)
        since = paging.since(args)
        if since is not None:
            where = where.also("updated_at >= ?", since)
        return self.hidden(db, self.filters(args, where))

    # -- writing ---------------------------------------------------------------------------------

    def create(self) -> Response:
        body = strict_json.read_object(request)
        posted = "id" in body
        record_id = new_id(self.node.clock()) if not posted else _posted_id(body.pop("id"))
        db = self.node.reader()
        scope = CITY if self.kind.city else self._scope_of_body(db, body)
        beside = self.sealed.taken(body) if self.sealed else {}
        form = wire.form_of(self.kind, body)
        noun = self._noun()
        self.check(self, form, str(record_id), None)
        named = self.named(incident_of_scope(scope) or "", form)
        if named is not None and posted:
            hint = "Leave the id out: every node gives this record the same one."
            shape.refuse("bad_id", "id", "is not chosen by a client here", hint)
        record_id = named or record_id
        composed = {} if self.kind.city else self.composed(db, str(uuid.UUID(bytes=scope[1:])))
        change = noun.create(record_id, scope, form, **self.given(self, form), **composed)
        known = row.get(db, self.name, str(record_id))
        if known is not None and scope_of(known) != scope:
            raise _id_in_use()
        self._refuse_if_it_would_not_count(change)
        described = self._described(db, scope, change, ())
        sealed = self.sealed.change(beside, record_id, scope) if self.sealed else ()
        result = self.node.write([*described, change, *sealed], g.person.id)
        if isinstance(result, Exists):
            return self._sent_again(record_id, change)
        return self._answer(self._find(str(record_id)), 201)

    def change(self, record_id: str) -> Response:
        record = self._find(record_id)
        permissions.require(g.person, "edit", self.name, owner=record.author)
        noun = self._noun()
        scope = scope_of(record)
        seen = etag.read_if_match(request.headers.get("If-Match"))
        body = strict_json.read_object(request)
        beside = self.sealed.taken(body) if self.sealed else {}
        changes = self.sealed.change(beside, uuid.UUID(record.id), scope) if self.sealed else ()
        if body or not changes:
            changes = [*self._clear_changes(noun, record, body, seen), *changes]
        result = self.node.write(changes, g.person.id)
        if isinstance(result, Missing):
            raise _not_found(self.name)
        if not isinstance(result, Recorded):
            raise PreconditionFailed(
                "if_match_unknown",
                "If-Match names a version that is none of this record's.",
                "Read the record again and send its ETag.",
            )
        return self._answer(self._find(record.id))

    # -- below -----------------------------------------------------------------------------------

    def _clear_changes(
        self, noun: Noun, record: Record, body: Mapping[str, Any], seen: tuple[Version, ...] | None
    ) -> Sequence[Change]:
        """The change of a record itself, with what describes the files that it newly names."""
        scope, form = scope_of(record), wire.form_of(self.kind, body)
        self.check(self, form, record.id, record)
        elements = self._elements(scope, record, form)
        beside = self.edited(self, record) | self.told(record, form)
        change = noun.edit(uuid.UUID(record.id), scope, form, seen, elements, **beside)
        if seen is None:
            change = replace(change, fields={**change.fields, etag.OVERWRITES: True})
        self._refuse_if_it_would_not_count(change)
        named = record.fields.get("attachments") or ()
        return [*self._described(self.node.reader(), scope, change, named), change]

    def _noun(self) -> Noun:
        if self.noun is None:
            raise Forbidden("read_only_collection", f"{self.name} are not written through the API.", "")
        return self.noun

    def _find(self, record_id: str) -> Record:
        try:
            record = row.get(self.node.reader(), self.name, shape.record_id("id", record_id))
        except Invalid:
            record = None
        if record is None or not self.visible(record):
            raise _not_found(self.name)
        return record

    def _answer(self, record: Record, status: int = 200) -> Response:
        response = jsonify(wire.to_wire(self.kind, record))
        response.status_code = status
        scope = scope_of(record)
        if not self.kind.entry:
            response.headers["ETag"] = etag.make_etag(self.node.versions(self.name, scope, record.id))
        if status == 201:
            response.headers["Location"] = url_for(f"api.{self.kind.table}_show", record_id=record.id)
        return response

    def _scope_of_body(self, db: Any, body: dict[str, Any]) -> bytes:
        posted = body.pop("incident_id", None)
        parent = self.incident_of(db, body)
        incident_id = parent if posted is None else shape.record_id("incident_id", posted)
        if incident_id is None:
            shape.refuse("required", "incident_id", "is needed", "Send the id of the incident.")
        if parent is not None and parent != incident_id:
            hint = "Leave incident_id out, or send the one of its parent."
            shape.refuse("wrong_incident", "incident_id", "is another incident than the parent's", hint)
        incident = incidents.get(db, incident_id)
        if incident is None:
            shape.refuse(
                "unknown_incident",
                "incident_id",
                "is no incident that this node knows",
                "List the incidents.",
            )
        return incidents.scope(incident)

    def _sent_again(self, record_id: uuid.UUID, change: Change) -> Response:
        """The id is there already: the same thing sent twice is 200, anything else 409."""
        lines = self.node.history(self.name, change.scope, str(record_id))
        first = lines[0]["fields"] if lines else {}
        if not same_content(change.fields, first, self.filled):
            raise _id_in_use()
        return self._answer(self._find(str(record_id)))

    def _elements(self, scope: bytes, record: Record, form: Mapping[str, Any]) -> Any:
        has_set = any(name in self.kind.fields and self.kind.fields[name].merge == "set" for name in form)
        return self.node.elements(self.name, scope, record.id) if has_set else None

    def _described(self, db: Any, scope: bytes, change: Change, known: Container[str]) -> Sequence[Change]:
        """Files that the change names and the record did not name before are described beside it."""
        value = change.fields.get("attachments") or ()
        named = value["add"] if isinstance(value, Mapping) else value
        return naming.describing(db, scope, [sha256 for sha256 in named if sha256 not in known])

    def _refuse_if_it_would_not_count(self, change: Change) -> None:
        certificate = self.node.certificate
        if certificate is None:
            return  # the node itself says that it is not enrolled
        if not judge.capable(self.kind, change, self.node.node_id, certificate.capabilities):
            raise Forbidden(
                "device_not_capable",
                f"This device may not write {self.name}.",
                "Do this on the hub, or on a device that was enrolled for commands.",
            )

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        shown = {name: wire.plain(value) for name, value in line.items() if name not in ("fields", "at", "received_at")}
        return {
            **shown,
            "at": wire.show_time(line["at"]),
            "received_at": wire.show_time(line.get("received_at")),
            "fields": wire.value_fields(self.kind, line["fields"]),
        }


def scope_of(record: Record) -> bytes:
    """The scope that a record stands in."""
    return bytes.fromhex(record.scope)


def new_id(now_ms: int) -> uuid.UUID:
    """A UUID of version 7, of this moment."""
    value = (now_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 2 << 62)


def _posted_id(value: Any) -> uuid.UUID:
    if value is None:
        shape.refuse("bad_id", "id", "is null", _ID_HINT)
    found = uuid.UUID(shape.record_id("id", value))
    if found.version != 7 or found.variant != uuid.RFC_4122:
        shape.refuse("bad_id", "id", "is not a UUID of version 7", _ID_HINT)
    return found


def _not_found(name: str) -> NotFound:
    return NotFound("not_found", f"No record of {name} has this id here.", "Check the id; it may not have arrived yet.")


def _id_in_use() -> Conflict:
    return Conflict("id_in_use", "This id belongs to a record with other content.", "Send a new id.", "id")
