"""What the locked screen may say: how much waits for a person in the incidents that are open, without a word of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.queries import bulletins, damage_reports, orders, row, talk
from app.queries.channels import Who
from app.queries.row import Where


@dataclass(frozen=True, slots=True)
class Waiting:
    messages: int
    orders: int  # instructions that the person, or this device, has not acknowledged
    urgent: int  # red reports that nobody was given


def waiting(db: Any, who: Who, me: orders.Me) -> Waiting:
    opened = row.select(db, row.kind_of("incidents"), Where().also("closed_at IS NULL"))
    return Waiting(
        messages=sum(
            talk.unread_count(db, incident.id, who) + len(bulletins.unread(db, incident.id, who.id))
            for incident in opened
        ),
        orders=sum(len(orders.waiting(db, incident.id, me)) for incident in opened),
        urgent=sum(damage_reports.red_total(db, incident.id) for incident in opened),
    )
