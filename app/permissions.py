"""Who may do what: one table role × action × collection × scope, for pages, API and sockets.

Before: ``accounts`` says who the person is. After: views and API ask ``require``; a route carries its row as
a mark (``@permission`` or ``@public``), and a route without one fails the build (``undeclared_routes``).
Device capabilities are another matter: every node checks those for itself (``records/judge.py``).

Scope ``all`` lets a person act on every record of the collection; ``own`` only on what that person made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeVar, get_args

from app.errors import Forbidden

Action = Literal["read", "create", "edit", "remove"]
Scope = Literal["all", "own"]


class Person(Protocol):
    """What is asked of whoever is logged in (a property or a column, whichever)."""

    @property
    def id(self) -> str: ...

    @property
    def role(self) -> str: ...


_EVERYONE = "admin commander hq_operator shelter_staff patrol viewer"
_HQ = "admin commander hq_operator"
_FIELD = f"{_HQ} shelter_staff patrol"
HQ = frozenset(_HQ.split())
_HQ_SEALED = "commander hq_operator"  # an administrator has all rights but these: to read and to write what is sealed

# (collection, action, roles, scope). Whatever is not written here is refused.
_ROWS: tuple[tuple[str, Action, str, Scope], ...] = (
    ("status", "read", _EVERYONE, "all"),
    ("totals", "read", _EVERYONE, "all"),
    ("conflicts", "read", _EVERYONE, "all"),
    ("conflicts", "edit", _FIELD, "all"),  # settle one; the kind's own row says who may edit it
    ("contradictions", "read", _EVERYONE, "all"),
    ("handover-notes", "read", _EVERYONE, "all"),
    ("handover-notes", "create", _FIELD, "all"),
    ("handover-notes", "edit", _FIELD, "all"),  # take it over; nothing else of a note is ever changed
    ("set-asides", "read", _EVERYONE, "all"),
    ("set-asides", "create", _HQ, "all"),  # a contradiction is known, and why
    ("set-asides", "edit", _HQ, "all"),
    ("delivery", "read", _EVERYONE, "all"),
    ("quarantine", "read", "admin", "all"),
    ("sync", "read", _EVERYONE, "all"),
    ("sync", "edit", _FIELD, "all"),  # try the hub now
    ("incidents", "read", _EVERYONE, "all"),
    ("incidents", "create", _FIELD, "all"),  # a cut-off tablet opens one itself; two are joined by same_as
    ("incidents", "edit", _HQ, "all"),
    ("damage-reports", "read", _EVERYONE, "all"),
    ("damage-reports", "create", _FIELD, "all"),
    ("damage-reports", "edit", _FIELD, "all"),
    ("damage-reports", "remove", _FIELD, "own"),  # taken back by who wrote it; others set its status
    ("damage-report-people", "read", _HQ_SEALED, "all"),
    ("damage-report-people", "create", f"{_HQ_SEALED} shelter_staff patrol", "all"),
    ("damage-report-people", "edit", _HQ_SEALED, "all"),
    ("report-phrases", "read", _EVERYONE, "all"),
    ("report-phrases", "create", _HQ, "all"),
    ("report-phrases", "edit", _HQ, "all"),
    ("sealed-reads", "read", "admin commander", "all"),  # who, when and how much; what was read stands in none
    ("channels", "read", _EVERYONE, "all"),
    ("channels", "create", _FIELD, "all"),
    ("channels", "edit", _HQ, "all"),
    ("channels", "edit", "shelter_staff patrol", "own"),
    ("chat-messages", "read", _EVERYONE, "all"),
    ("chat-messages", "create", _FIELD, "all"),
    ("channel-reads", "create", _EVERYONE, "own"),
    ("instructions", "read", _EVERYONE, "all"),
    ("instructions", "create", _HQ, "all"),
    ("instructions", "edit", _HQ, "all"),
    ("instruction-replies", "read", _EVERYONE, "all"),
    ("instruction-replies", "create", _FIELD, "all"),
    ("chronicle", "read", _EVERYONE, "all"),
    ("chronicle", "create", _FIELD, "all"),
    ("replay", "read", _EVERYONE, "all"),  # what each page shows of an earlier time is asked by its own row
    ("instruction-sightings", "create", _EVERYONE, "own"),
    ("bulletins", "read", _EVERYONE, "all"),  # its audience is a mark for whom it may be passed on to, no lock
    ("bulletins", "create", _HQ, "all"),
    ("bulletins", "edit", _HQ, "all"),
    ("bulletin-sightings", "create", _EVERYONE, "own"),
    ("hq-meetings", "read", _EVERYONE, "all"),
    ("hq-meetings", "create", _HQ, "all"),
    ("hq-meetings", "edit", _HQ, "all"),
    ("hq-meeting-decisions", "read", _EVERYONE, "all"),
    ("hq-meeting-decisions", "create", _HQ, "all"),
    ("hq-meeting-decisions", "edit", _HQ, "all"),
    ("teams", "read", _EVERYONE, "all"),
    ("teams", "create", _HQ, "all"),
    ("teams", "edit", _HQ, "all"),
    ("musters", "read", _EVERYONE, "all"),
    ("musters", "create", _HQ, "all"),
    ("musters", "edit", _HQ, "all"),
    ("muster-replies", "read", _EVERYONE, "all"),
    ("muster-replies", "create", _FIELD, "all"),  # also for a colleague who was asked
    ("muster-safety", "read", _HQ_SEALED, "all"),
    ("muster-safety", "create", f"{_HQ_SEALED} shelter_staff patrol", "all"),
    ("staff", "read", _EVERYONE, "all"),
    ("staff", "create", _FIELD, "all"),  # 応援職員 are added where they arrive
    ("staff", "edit", _HQ, "all"),
    ("staff-contacts", "read", _HQ_SEALED, "all"),
    ("staff-contacts", "create", f"{_HQ_SEALED} shelter_staff patrol", "all"),
    ("staff-contacts", "edit", _HQ_SEALED, "all"),
    ("users", "read", _EVERYONE, "all"),
    ("users", "create", "admin", "all"),
    ("users", "edit", "admin", "all"),
    ("accounts", "read", _HQ, "all"),  # who has a login on this node, since when
    ("accounts", "edit", "admin", "all"),  # one-time codes, resets
    ("second-factor", "edit", _HQ, "own"),
    ("vouches", "create", f"{_HQ} shelter_staff", "all"),  # for whom: `VOUCHES`
    ("envelopes", "read", f"{_HQ} shelter_staff", "all"),
    ("envelopes", "create", f"{_HQ} shelter_staff", "all"),
    ("nodes", "read", _EVERYONE, "all"),
    ("nodes", "create", "admin commander", "all"),  # let a device in
    ("nodes", "edit", "admin commander", "all"),  # its owner, its revocation
    ("shelters", "read", _EVERYONE, "all"),
    ("shelters", "create", _HQ, "all"),
    ("shelters", "edit", _HQ, "all"),
    ("shelter-openings", "read", _EVERYONE, "all"),
    ("shelter-openings", "create", f"{_HQ} shelter_staff", "all"),
    ("shelter-openings", "edit", f"{_HQ} shelter_staff", "all"),
    ("patrols", "read", _EVERYONE, "all"),
    ("patrols", "create", f"{_HQ} patrol", "all"),
    ("patrols", "edit", f"{_HQ} patrol", "all"),
    ("patrol-tracks", "read", _FIELD, "all"),  # where colleagues are: for whoever works with them
    ("patrol-tracks", "create", f"{_HQ} patrol", "all"),
    ("patrol-points", "read", _EVERYONE, "all"),
    ("patrol-points", "create", f"{_HQ} patrol", "all"),
    ("attachments", "read", _EVERYONE, "all"),
    ("attachments", "create", _FIELD, "all"),
    ("head-counts", "read", _EVERYONE, "all"),
    ("head-counts", "create", f"{_HQ} shelter_staff", "all"),
    ("layers", "read", _EVERYONE, "all"),
    ("hazard", "read", _EVERYONE, "all"),
    ("drafts", "read", _EVERYONE, "own"),
    ("drafts", "edit", _EVERYONE, "own"),
    ("settings", "read", _EVERYONE, "own"),  # one's own theme, text size, password
    ("settings", "edit", _EVERYONE, "own"),
)

TABLE: Mapping[tuple[str, Action, str], Scope] = {
    (role, action, collection): scope for collection, action, roles, scope in _ROWS for role in roles.split()
}

# Whom a person may let in on the spot: nobody above themselves, and no second one of those who decide.
VOUCHES: Mapping[str, tuple[str, ...]] = {
    "admin": ("admin", "commander", "hq_operator", "shelter_staff", "patrol", "viewer"),
    "commander": ("hq_operator", "shelter_staff", "patrol", "viewer"),
    "hq_operator": ("shelter_staff", "patrol", "viewer"),
    "shelter_staff": ("shelter_staff",),
}

# What may come over a socket, by namespace, and what lets it in. Whatever is not written here fails the build.
EVENTS: Mapping[tuple[str, str], str] = {
    ("/live", "connect"): "a session of a person",
    ("/live", "disconnect"): "a session of a person",
    ("/sync", "connect"): "anybody, until the hello has shown a certificate of the city",
    ("/sync", "disconnect"): "anybody",
    ("/sync", "f"): "a frame, which the link judges by the certificate",
}

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "_tomoshibi_permission"
PUBLIC = ("", "public")


def scope_of(role: str | None, action: Action, collection: str) -> Scope | None:
    """On which records of the collection a role may do this; None where on none."""
    return TABLE.get((role or "", action, collection))


def allowed(role: str | None, action: Action, collection: str, *, own: bool = True) -> bool:
    """Whether a role may do this. ``own``: the record is the person's own (or none is meant yet)."""
    scope = scope_of(role, action, collection)
    return scope == "all" or (scope == "own" and own)


def may_vouch(role: str, other: str) -> bool:
    """Whether a role may let somebody of another role in on this device: by vouching, or by an envelope."""
    return other in VOUCHES.get(role, ())


def require(person: Person, action: Action, collection: str, *, owner: str | None = None) -> None:
    """Raise Forbidden unless this person may; ``owner`` is the author of the record, if one is meant."""
    if not allowed(person.role, action, collection, own=owner is None or owner == person.id):
        raise Forbidden(
            "forbidden",
            f"The role {person.role} may not {action} {collection}.",
            "Ask an administrator, or someone at HQ, to do this.",
        )


def permission(collection: str, action: Action) -> Callable[[View], View]:
    """Mark a view (a route's function) with the row of the table that it asks for."""
    if not any(key[1:] == (action, collection) for key in TABLE):
        raise ValueError(f"no role may {action} {collection}: write the row first")

    def mark(view: View) -> View:
        setattr(view, _MARK, (collection, action))
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that anyone may ask for, logged in or not."""
    setattr(view, _MARK, PUBLIC)
    return view


def mark_of(view: Callable[..., Any] | None) -> tuple[str, str] | None:
    """The mark of a view, also below decorators that used functools.wraps; None where there is none."""
    return getattr(view, _MARK, None)


def undeclared_routes(app: Any) -> list[str]:
    """The rules of a Flask app whose view carries no mark; static files need none."""
    return sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if rule.endpoint.rpartition(".")[2] != "static" and mark_of(app.view_functions.get(rule.endpoint)) is None
    )


def undeclared_events(server: Any) -> list[str]:
    """The events of a Socket.IO server that nobody wrote into ``EVENTS``."""
    found = {(space, event) for space, events in server.handlers.items() for event in events}
    for space, namespace in server.namespace_handlers.items():
        found |= {(space, name.removeprefix("on_")) for name in dir(namespace) if name.startswith("on_")}
    return sorted(f"{space} {event}" for space, event in found - set(EVENTS))


def as_page() -> str:
    """The table as the page docs/permissions.md shows it."""
    roles = list(dict.fromkeys(_EVERYONE.split()))
    head = f"| collection | {' | '.join(roles)} |\n| --- |{' --- |' * len(roles)}"
    lines = [
        f"| {collection} | {' | '.join(_cell(role, collection) for role in roles)} |"
        for collection in dict.fromkeys(row[0] for row in _ROWS)
    ]
    events = [f"| `{space}` | `{event}` | {who} |" for (space, event), who in EVENTS.items()]
    return "\n".join([_PAGE, head, *lines, "", _SOCKETS, *events, ""])


def _cell(role: str, collection: str) -> str:
    told = []
    for letter, action in zip("RCED", get_args(Action), strict=True):
        scope = scope_of(role, action, collection)
        told.append({"all": letter, "own": letter.lower()}[scope] if scope else "")
    return "".join(told) or "–"


_PAGE = """# Who may do what

`app/permissions.py` as a page: what pages, API, exports and sockets ask before anything else. R read, C create, E edit,
D remove; a small letter: of one's own only. Who is not logged in may nothing of it. Made by
`python -m app.permissions > docs/permissions.md`; a test holds it to the table.
"""
_SOCKETS = """Over sockets, whatever is not in this list fails the build. Who opens `/live` hears only topics that the
role may read.

| namespace | event | let in by |
| --- | --- | --- |"""


if __name__ == "__main__":
    print(as_page(), end="")
