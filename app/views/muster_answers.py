"""The answer page behind the personal link of a mail: no login; the secret is for one person and one call-out.

Before: ``mail/carrier`` sent the link. After: the answer is written by this node, with `means` link and no author.
Opening the page changes nothing, for programs of mail servers open links as well.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import uuid6
from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app import messages, records
from app.errors import Invalid
from app.forms import muster as forms
from app.mail import spool
from app.permissions import public
from app.queries import incidents, musters, staff
from app.queries.row import Record
from app.records import muster_safety
from app.records.muster_replies import BY_LINK
from app.views import shell
from sync.errors import NoScopeKey

TRIES = "30 per minute"  # of one link
TRIES_OF_ADDRESS = "600 per minute"  # a whole city hall may stand behind one
STATES = ("replied_ok", "replied_late", "replied_unable")

pages = Blueprint("muster_answers", __name__, url_prefix="/answer")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link that holds stands for."""

    muster: Record
    incident: Record
    person: Record


def link_of_request() -> str:
    """What one link may ask is counted by itself."""
    return str((request.view_args or {}).get("token", ""))


@pages.get("/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    opened = _opened(token)
    return _gone() if opened is None else _page(opened, {}, 200)


@pages.post("/<token>")
@public
def answer(token: str) -> ResponseReturnValue:
    """One of the three answers, as often as it changes; nothing else can be written through a link."""
    opened, node = _opened(token), shell.node()
    if opened is None:
        return _gone()
    fields, told = forms.read_answer(request.form, opened.muster.id, opened.person.id, node.clock())
    try:
        if fields["state"] not in STATES:
            raise Invalid("unknown_code", "This is no answer.", "Choose one of the three.", "state")
        fields = {name: value for name, value in fields.items() if name != "spoke_with"} | {"means": BY_LINK}
        record_id = uuid.UUID(str(uuid6.uuid7()))
        change = records.muster_replies.create(record_id, bytes.fromhex(opened.muster.scope), fields)
        node.write([change, *muster_safety.beside(change, told)], None)
    except NoScopeKey:
        return _page(opened, {"reason": messages.no_key()}, 422)
    except Invalid as error:
        return _page(opened, messages.faults_of(error), 422)
    return _page(opened, {}, 200, answered=True)


def _opened(token: str) -> Opened | None:
    """None for what was never a link, for one that has ended, and for one whose call-out or person is no more."""
    here, node = shell.db(), shell.node()
    letter = spool.by_token(here, token)
    if letter is None or letter.expires_at <= node.clock():
        return None
    muster, person = musters.get(here, letter.muster_id), staff.get(here, letter.person_id)
    incident = incidents.get(here, muster.incident_id or "") if muster is not None else None
    if muster is None or person is None or incident is None:
        return None
    if muster["lifted_at"] is not None or person["active"] is False:
        return None
    return Opened(muster, incident, person)


def _page(opened: Opened, faults: dict[str, str], status: int, *, answered: bool = False) -> ResponseReturnValue:
    said = musters.of_person(shell.db(), opened.muster, opened.person)
    drawn = render_template(
        "muster_answers/show.html",
        muster=opened.muster,
        person=opened.person,
        mode=opened.incident["mode"],
        newest=said[0] if said else None,
        answered=answered,
        typed=request.form,
        faults=faults,
        late_minutes=forms.LATE_MINUTES,
    )
    return _kept_quiet(drawn, status)


def _gone() -> ResponseReturnValue:
    return _kept_quiet(render_template("muster_answers/gone.html"), 404)


def _kept_quiet(drawn: str, status: int) -> ResponseReturnValue:
    """No search engine, cache or next page hears of the address."""
    response = make_response(drawn, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
