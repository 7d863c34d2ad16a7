"""Notices of HQ (情報共有): what everyone is to know, how far it may be passed on, and whether it stands at the top.

What was read stays readable: a notice is withdrawn, never removed. ``edition`` grows with each change that a reader
has to see (the words, the withdrawal), and a reader's mark names the edition that was on the screen.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Elements, Noun
from sync.kinds import Field, Kind
from sync.operation import Change, Version

KIND = Kind(
    "bulletins",
    lane="talk",  # it sounds where it arrives, as an instruction does: it never waits behind a backlog
    fields={
        "category": Field("text"),
        "title": Field("text"),
        "body": Field("text"),
        "audience": Field("text"),
        "pinned": Field("flag"),
        "attachments": Field("ids", "set"),
        "edition": Field("integer", "max"),
        "withdrawn_at": Field("integer", "once"),  # of two who withdraw it apart the earlier one has done it
        "withdrawn_by": Field("id", "once"),
        "withdrawn_reason": Field("text", "once"),
        "number": Field("text", "once"),
    },
)
WITHDRAWAL = ("withdrawn_at", "withdrawn_reason")
READ_AGAIN = frozenset(("category", "title", "body", "audience", "attachments", *WITHDRAWAL))

NOUN = Noun(
    KIND,
    checks={
        "category": shape.choice(catalog.table("bulletin_categories").codes),
        "title": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "body": shape.text(shape.TEXT_CHARS_MAX),
        "audience": shape.choice(catalog.table("audiences").codes),
        "pinned": shape.flag,
        "attachments": shape.each(shape.sha256),
        "withdrawn_at": shape.moment,
        "withdrawn_reason": shape.text(shape.LINE_CHARS_MAX),
    },
    needed=("title",),
    given=("number", "edition", "withdrawn_by"),
    numbered="number",
)


def create(record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any]) -> Change:
    """A new notice, in its first edition."""
    check_withdrawal(form, new=True)
    return NOUN.create(record_id, scope, form, edition=1)


def edit(
    record_id: uuid.UUID,
    scope: bytes,
    form: Mapping[str, Any],
    seen: tuple[Version, ...] | None,
    elements: Elements | None = None,
    **given: Any,
) -> Change:
    """A change of a notice. ``given``: what ``told_again`` says of it."""
    check_withdrawal(form)
    return NOUN.edit(record_id, scope, form, seen, elements, **given)


def told_again(form: Mapping[str, Any], edition: int | None, by: str) -> dict[str, Any]:
    """What is written beside a change: the next edition where it is to be read again, and who withdrew it."""
    told: dict[str, Any] = {"edition": (edition or 1) + 1} if READ_AGAIN & form.keys() else {}
    return told | ({"withdrawn_by": by} if "withdrawn_at" in form else {})


def check_withdrawal(form: Mapping[str, Any], *, new: bool = False) -> None:
    """Raise Invalid for a withdrawal without its time or reason, of a new notice, or one that is taken back."""
    given = [name for name in WITHDRAWAL if name in form]
    if not given:
        return
    if new:
        shape.refuse("read_only", given[0], "does not belong to a new notice", "Withdraw it after it was published.")
    for name in WITHDRAWAL:
        if form.get(name) is None:
            hint = "Say when and why; a withdrawal stands, and is not taken back."
            shape.refuse("required", name, "is needed where a notice is withdrawn", hint)
