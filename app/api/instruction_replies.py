"""Answers to instructions. Who writes one down for somebody else may give instructions themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app import permissions
from app.api import paging
from app.api.collection import Collection
from app.api.instructions import incident_of_instruction
from app.queries import instructions, row
from app.queries.row import Record, Where
from app.records import NOUNS, instruction_replies, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["instruction-replies"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("instruction_id",),
        check=_check,
        filters=_filters,
        incident_of=incident_of_instruction,
    )


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    fields = instruction_replies.NOUN.clean(form)
    instruction_replies.check(fields)
    sent_before = row.get(collection.node.reader(), "instruction-replies", record_id) is not None
    if fields.get("takes_back") is not None and not sent_before:
        answered = (fields.get("instruction_id") or "", fields["takes_back"], g.person.id)
        if instructions.own_answer(collection.node.reader(), *answered) is None:
            hint = "Send the id of an answer of your own to this instruction that you have not taken back yet."
            shape.refuse("not_own_answer", "takes_back", "is none of your answers", hint)
    if fields.get("on_behalf_of") is None:
        return
    permissions.require(g.person, "edit", "instructions")
    instruction = instructions.get(collection.node.reader(), fields.get("instruction_id") or "")
    if instruction is not None and fields["on_behalf_of"] not in instruction["recipients"]:
        hint = "Send the id of one of the instruction's recipients."
        shape.refuse("not_a_recipient", "on_behalf_of", "is none of its recipients", hint)


def _filters(args: Any, where: Where) -> Where:
    instruction = paging.record_id(args, "instruction_id")
    return where if instruction is None else where.also("instruction_id = ?", instruction)
