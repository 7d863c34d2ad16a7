"""What a letter of a call-out says. Pure: who, what and the link are handed in; the sentences are those of messages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from app import catalog, messages
from app.queries.row import Record

JST = ZoneInfo("Asia/Tokyo")


def made(
    muster: Record, incident: Record, person: Record, address: str, sender: str, link: str | None, token: str
) -> EmailMessage:
    """The mail to one person. Sent twice, it has one Message-ID, and a mail program shows one."""
    level = catalog.table("staffing_levels").get(muster["level"])
    called = datetime.fromtimestamp((muster["called_at"] or muster.created_at) / 1000, UTC).astimezone(JST)
    said = messages.muster_mail(
        mode=incident["mode"],
        level=level.word if level else str(muster["level"]),
        called=f"{called:%m/%d %H:%M}",
        name=person["name"],
        place=muster["place"] or person["place"],
        text=muster["message"],
        link=link,
    )
    letter = EmailMessage()
    letter["Subject"] = said.subject
    letter["From"], letter["To"] = sender, Address(addr_spec=address)
    letter["Date"] = format_datetime(called)
    letter["Message-ID"] = f"<{message_id(token)}@{_domain(sender)}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(said.body, cte="base64")
    return letter


def message_id(token: str) -> str:
    """Not the secret itself: a Message-ID is shown to whoever answers or forwards a mail."""
    return hashlib.blake2b(token.encode(), digest_size=12, person=b"message-id").hexdigest()


def _domain(sender: Any) -> str:
    return str(sender).rpartition("@")[2].rstrip(">") or "localhost"
