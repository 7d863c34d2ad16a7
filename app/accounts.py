"""Who may log in on this node: the door to ``app/people``. Verifiers, codes, tokens, sessions stay here.

Before: the login page, the API's bearer check and the command line ask. After: ``permissions`` decides what
the Person may do. A lost tablet carries no verifier of anybody who never logged in on it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uuid6 import uuid7

from app import permissions
from app.errors import Conflict, Forbidden, NotFound, Unauthenticated
from app.people import names, second_factor, sessions
from app.people.codes import Codes
from app.people.envelopes import Envelopes
from app.people.local import Keep, Local, both
from app.people.passphrases import Passphrases
from app.people.roster import Person, Roster
from app.people.second_factor import SecondFactor
from app.people.sessions import ANY_PEER, Sessions
from app.people.steady import SteadyClock
from app.people.tokens import Tokens
from app.people.tries import Tries
from app.store.engine import Connection

VOUCHED, RESET = "vouched", "reset"


@dataclass(frozen=True, slots=True)
class AddedUser:
    id: str
    code: str | None  # for the first login, where no passphrase was given


class Accounts:
    """The local accounts of one node, with the attempts counted since it started."""

    def __init__(self, node: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.node = node
        self.clock = SteadyClock(node, monotonic)
        local = Local(node)
        self.passphrases = Passphrases(local)
        self.roster = Roster(node, self.passphrases)
        self.codes = Codes(local, self.clock)
        self.sessions = Sessions(local, self.clock)
        self.second_factor = SecondFactor(local, self.clock)
        self.envelopes = Envelopes(local, self.codes, self.clock)
        self._tokens = Tokens(local)
        self._tries = Tries()

    # -- people ----------------------------------------------------------------------------------

    def add_user(
        self, name: str, role: str, passphrase: str | None, author: str | None = None, team: str | None = None
    ) -> AddedUser:
        """Write a person, with a verifier or a one-time code. Raises NotEnrolled on a bare terminal."""
        user_id, code = uuid7(), None
        if passphrase is not None:
            keep = self.passphrases.keeper(str(user_id), name, passphrase, self.clock.now())
        else:
            code, keep = self.codes.make(user_id=str(user_id))
        self.roster.add(user_id, name, role, author, keep, team)
        return AddedUser(str(user_id), code)

    def login(self, name: str, passphrase: str) -> Person:
        """The person of that name and passphrase. Raises Unauthenticated or RateLimited."""
        self._tries.count(names.clean(name), self.clock.now())
        person = self.roster.here(name)
        if not self.passphrases.fits(person.id if person else None, passphrase) or person is None:
            hint = "Check both, or ask HQ for a one-time code."
            raise Unauthenticated("wrong_login", "The name or the passphrase is wrong.", hint)
        self._tries.forget(names.clean(name))
        return person

    def unlocks(self, person: Person, passphrase: str) -> bool:
        """Whether it is the person's own passphrase: one factor is enough within a session. Raises RateLimited."""
        self._tries.count(f"{person.id}\0lock", self.clock.now())
        if not self.passphrases.fits(person.id, passphrase):
            return False
        self._tries.forget(f"{person.id}\0lock")
        return True

    def redeem_login_code(self, code: str, name: str, passphrase: str) -> Person:
        """Use a one-time code to set a passphrase here; a code for a role makes its person."""
        self._tries.count(f"{names.clean(name)}\0code", self.clock.now())
        row = self.codes.live(code)
        person = self.roster.person(row["user_id"]) if row["user_id"] else self._known_for(row, name)
        if row["user_id"] and (person is None or person.name != names.clean(name)):
            hint = "Type the name that HQ gave you."
            raise Unauthenticated("wrong_code", "The code is for another name.", hint)
        user_id = person.id if person else str(uuid7())
        keep = both(
            self.codes.user(row["code_hash"], user_id),
            self.passphrases.keeper(user_id, name, passphrase, self.clock.now()),
        )
        if person is None:
            return self.roster.add(uuid.UUID(user_id), name, row["role"], self._maker_of(row), keep)
        self.node.local_write(keep)
        return person

    def new_code(self, *, user_id: str | None = None, role: str | None = None) -> tuple[str, Keep]:
        """A one-time code for a person, or for the first person of a role; and what keeps its hash."""
        return self.codes.make(user_id=user_id, role=role)

    def named(self, name: str) -> Person:
        person = self.roster.here(name)
        if person is None:
            hint = "Add the person with `tomoshibi user add` on the node where they work."
            raise NotFound("unknown_user", f"nobody called {name} has an account on this node", hint)
        return person

    def code_for(self, name: str) -> str:
        """A new one-time code for somebody who may log in here."""
        code, keep = self.codes.make(user_id=self.named(name).id)
        self.node.local_write(keep)
        return code

    def reset(self, user_id: str, author: str | None) -> str:
        """Take away all that lets a person in on this node, and give a one-time code; the log says who did it."""
        person = self.roster.person(user_id)
        if person is None or not self.roster.at_home(person):
            raise NotFound("unknown_user", "Nobody like that may log in here.", "Open the list again.")
        code, keep_code = self.codes.make(user_id=user_id)

        def keep(connection: Connection) -> None:
            self.clock.accept(connection)  # nobody is kept out by a clock that once was wrong
            connection.execute("DELETE FROM credentials WHERE user_id = ?", (user_id,))
            second_factor.forget(connection, user_id)
            sessions.end_all(connection, user_id, self.clock.now())
            keep_code(connection)

        self.roster.note(user_id, RESET, author, keep)
        return code

    def vouch(self, voucher: Any, own_passphrase: str, name: str, role: str, passphrase: str) -> Person:
        """Somebody who is logged in lets a colleague in who stands beside them; the log keeps who did it.

        The voucher proves to be there by their own passphrase: a tablet that lies open vouches for nobody.
        """
        self._tries.count(f"{voucher.id}\0vouch", self.clock.now())
        if not self.passphrases.fits(voucher.id, own_passphrase):
            raise Unauthenticated("wrong_login", "Your own passphrase is wrong.", "Type it again.")
        person = self.roster.here(name)
        role = person.role if person else role
        if not permissions.may_vouch(voucher.role, role):
            raise Forbidden("forbidden", f"The role {voucher.role} vouches for nobody as {role}.", "Ask HQ for a code.")
        if person is not None and self.passphrases.of(person.id):
            raise Conflict("has_login", f"{name} has a login here already.", "Log in, or ask an administrator.", "name")
        user_id = person.id if person else str(uuid7())
        keep = self.passphrases.keeper(user_id, name, passphrase, self.clock.now())
        if person is None:
            note = f"{VOUCHED} {self.node.node_id}"
            return self.roster.add(uuid.UUID(user_id), name, role, voucher.id, keep, access=note)
        self.roster.note(user_id, VOUCHED, voucher.id, keep)
        return person

    # -- sessions and tokens ---------------------------------------------------------------------

    def open_session(self, user_id: str, *, stage: str | None = None, peer: str | None = None) -> str:
        return self.sessions.start(user_id, stage=stage, peer=peer)

    def person_of_session(self, token: str, *, touch: bool = True, peer: str | None = ANY_PEER) -> Person | None:
        """The person of a session that is open and not locked; using it keeps it alive, unless it is only looked at."""
        session = self.sessions.find(token, touch=touch, peer=peer)
        return self.roster.person(session.user_id) if session is not None and session.open else None

    def place_of_session(self, token: str, *, peer: str | None = ANY_PEER) -> tuple[str, bool] | None:
        """(role, is it locked) of a session, only looked at; None where it ended or waits for its second factor."""
        session = self.sessions.find(token, touch=False, peer=peer)
        person = self.roster.person(session.user_id) if session is not None and session.stage is None else None
        return None if session is None or person is None else (person.role, session.locked)

    def end_session(self, token: str) -> None:
        self.sessions.end(token)

    def stage_for(self, person: Person) -> str | None:
        """What still stands between the right passphrase and an open session."""
        if self.second_factor.may_have(person.role) and self.second_factor.is_set_up(person.id):
            return sessions.SECOND
        return sessions.ENROL if self.second_factor.must_have(person.role) else None

    def make_token(self, name: str) -> str:
        """A bearer token of a person for the API; only its hash is kept."""
        return self._tokens.make(self.named(name).id, self.clock.now())

    def person_of_token(self, token: str) -> Person | None:
        user_id = self._tokens.user_of(token)
        return None if user_id is None else self.roster.person(user_id)

    def revoke_token(self, token: str) -> None:
        self._tokens.revoke(token, self.clock.now())

    # -- plain work ------------------------------------------------------------------------------

    def _known_for(self, row: Any, name: str) -> Person | None:
        """Whom the city knows by this name, where an envelope's code may let that person in for the first time."""
        person = self.roster.here(name)
        if row["envelope_id"] is None or person is None or person.role != row["role"]:
            return None
        return None if self.passphrases.of(person.id) else person

    def _maker_of(self, row: Any) -> str | None:
        envelope = self.envelopes.get(row["envelope_id"]) if row["envelope_id"] else None
        return envelope.made_by if envelope else None
