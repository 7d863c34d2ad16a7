"""Carries the letters of call-outs on the node that has a mail server: a thread of its own, which nothing waits for.

Before: a commit brought a call-out, or a person's address. After: ``spool`` remembers each letter, ``post`` hands them
to the mail server. Only a node with the setting `smtp_host` that can open HQ's seal has addresses; of several the city
sets one. Reading an address here shows it to nobody: it is not noted as a reading.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.mail import letters, post, spool
from app.mail.spool import Letter
from app.queries import incidents, musters, row, staff
from app.queries.row import Record, Where
from app.store.engine import DATABASE_ERRORS
from app.store.errors import StoreError
from sync.errors import SyncError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from app.effects import Changed
    from app.node import Node

BATCH = 50  # letters of one connection
LOOK_EVERY_S = 60.0
NEWS_MS = 24 * 3_600_000  # a call-out older than this is not mailed any more
LINK_MS = 48 * 3_600_000  # how long an answer link is open
TOKEN_BYTES = 16
_MOVED_BY = frozenset({"musters", "staff", "staff-contacts", "scope-keys", "grants"})
_LASTING: tuple[type[Exception], ...] = (*DATABASE_ERRORS, StoreError, SyncError, OSError)  # tried again a minute later
log = logging.getLogger(__name__)


class Carrier:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._wake, self._stopped = threading.Event(), False
        self._thread: threading.Thread | None = None

    @property
    def has_server(self) -> bool:
        return bool(self._node.settings.smtp_host)

    def start(self) -> None:
        if self.has_server:
            self._thread = threading.Thread(target=self._run, name="mail", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Not waited for: what hangs at a mail server has written nothing that could be lost."""
        self._stopped = True
        self._wake.set()

    def after_commit(self, changed: Changed, moved: Sequence[bytes]) -> None:
        if self.has_server and any(kind in _MOVED_BY for kind, _, _ in changed):
            self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self.collect()
                while not self._stopped and self.carry():
                    pass
            except _LASTING as error:
                log.warning("the mail of a call-out waits: %s", error)
            self._wake.wait(self._pause_s())
            self._wake.clear()

    def _pause_s(self) -> float:
        at = spool.next_due(self._node.reader())
        wait_s = LOOK_EVERY_S if at is None else (at - self._node.clock()) / 1000
        return min(max(wait_s, 1.0), LOOK_EVERY_S)

    # -- finding what is to be written -----------------------------------------------------------

    def collect(self) -> int:
        """Queue a letter for each person with an address whom a call-out of today calls. How many are new."""
        node, db = self._node, self._node.reader()
        if not node.sealing.holds():
            return 0
        found = 0
        for muster in self._standing():
            known = spool.of_muster(db, muster.id)
            called = staff.called_at(staff.listed(db), muster["level"], muster["teams"] or ())
            reached = staff.contacts(db)
            new = [one for one in called if one.id not in known and one.id in reached and reached[one.id]["mail"]]
            if new:
                rows = [(self._token(), muster.id, one.id) for one in new]
                until = musters.called_at(muster) + LINK_MS
                node.local_write(partial(spool.queue, letters=rows, now=node.clock(), expires_at=until))
                found += len(new)
        return found

    def _standing(self) -> list[Record]:
        """The call-outs of today that were not lifted, of incidents that are open."""
        db, since = self._node.reader(), self._node.clock() - NEWS_MS
        where = Where().also("lifted_at IS NULL").also("created_at >= ?", since)
        found = row.select(db, row.kind_of(musters.NAME), where, "ORDER BY created_at")
        return [one for one in found if (held := incidents.get(db, one.incident_id or "")) and not held["closed_at"]]

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._node.replica.random(TOKEN_BYTES)).rstrip(b"=").decode()

    # -- sending ---------------------------------------------------------------------------------

    def carry(self) -> bool:
        """Send what is due, over one connection. True where more can be tried at once."""
        node = self._node
        if not (due := spool.due(node.reader(), node.clock(), BATCH)):
            return False
        try:
            return self._carried(due)
        finally:
            self._tell(due)

    def _carried(self, due: list[Letter]) -> bool:
        node = self._node
        written = [(letter, mail) for letter in due if (mail := self._written(letter)) is not None]
        if not written:
            return True
        rest = {letter.token: letter for letter, _ in written}
        for letter, outcome in post.deliver(node.settings, written):
            rest.pop(letter.token)
            if isinstance(outcome, post.NotNow):
                late = [letter, *rest.values()] if outcome.server else [letter]
                log.warning("%d letters of a call-out wait for the mail server: %s", len(late), outcome.why)
                self._postpone(late, outcome.why)
                if outcome.server:
                    return False
            elif isinstance(outcome, post.Refused):
                self._settle(letter, spool.REFUSED, outcome.why)
            else:
                self._settle(letter, spool.SENT)
        return True

    def _tell(self, carried: list[Letter]) -> None:
        """The boards that lie open here show it."""
        musters_here = {letter.muster_id: musters.get(self._node.reader(), letter.muster_id) for letter in carried}
        self._node.tell_changed([(one.kind, bytes.fromhex(one.scope), one.id) for one in musters_here.values() if one])

    def _written(self, letter: Letter) -> EmailMessage | None:
        """The mail as it is today; a letter that nobody needs any more is settled, and None."""
        db, settings = self._node.reader(), self._node.settings
        muster, person = musters.get(db, letter.muster_id), staff.get(db, letter.person_id)
        incident = incidents.get(db, muster.incident_id or "") if muster else None
        contact = staff.contact(db, letter.person_id)
        if muster is None or person is None or incident is None or contact is None or not contact["mail"]:
            self._settle(letter, spool.REFUSED, "no address")
            return None
        if muster["lifted_at"] is not None or letter.expires_at <= self._node.clock():
            self._settle(letter, spool.TOO_LATE)
            return None
        link = f"{settings.answer_url}/answer/{letter.token}" if settings.answer_url else None
        sender = settings.mail_from or f"tomoshibi@{settings.smtp_host}"
        return letters.made(muster, incident, person, contact["mail"], sender, link, letter.token)

    def _settle(self, letter: Letter, state: str, fault: str | None = None) -> None:
        now = self._node.clock()
        self._node.local_write(lambda store: spool.settle(store, letter.token, state, now, fault))

    def _postpone(self, late: list[Letter], why: str) -> None:
        now = self._node.clock()
        self._node.local_write(lambda store: spool.postpone(store, late, now, why))
