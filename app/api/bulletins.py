"""Notices: whoever withdraws one is written beside it, and a change of its words is a new edition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app import catalog
from app.api import paging
from app.api.collection import Collection
from app.queries.row import Record, Where
from app.records import NOUNS
from app.records import bulletins as records


def collection(node: Any) -> Collection:
    noun = NOUNS["bulletins"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("category",),
        given=lambda collection, form: {"edition": 1},
        told=_told,
        check=_check,
        filters=_filters,
        filled=noun.given,
    )


def _told(record: Record, form: Mapping[str, Any]) -> dict[str, Any]:
    return records.told_again(form, record["edition"], g.person.id)


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    records.check_withdrawal(form, new=record is None)


def _filters(args: Any, where: Where) -> Where:
    categories = paging.codes(args, "category", catalog.table("bulletin_categories").codes)
    if not categories:
        return where
    return where.also(f"category IN ({', '.join('?' for _ in categories)})", *categories)
