"""Who may log in on this node. Names and roles are operations; verifiers, codes, tokens, sessions stay here.

Before: the login page, the API's bearer check and the command line ask. After: ``permissions`` decides what
the Person may do. A lost tablet carries no verifier of anybody who never logged in on it.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uuid6 import uuid7

from app import catalog, verifier
from app.errors import Conflict, Invalid, NotFound, RateLimited, Unauthenticated
from app.queries import nodes, users
from app.records import CITY
from app.records import users as user_records
from app.store.engine import Connection
from sync.authoring import Recorded
from sync.errors import NotEnrolled

CODE_MINUTES_ROLE, CODE_MINUTES_PERSON = 24 * 60, 7 * 24 * 60
SESSION_IDLE_MS, SESSION_MS_MAX = 30 * 60_000, 12 * 3_600_000
SEEN_EVERY_MS = 60_000  # how finely a last use is written: not each page view is worth a sync of the disk
TRIES_MAX, TRIES_WITHIN_MS, NAMES_COUNTED_MAX = 10, 60_000, 1_000
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0 O 1 I L: it is read aloud and typed by hand
ASK_FOR_CODE = "Ask HQ for a new one-time code."

Keep = Callable[[Connection], None]  # what is written beside the operations, in their transaction


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    role: str
    team: str | None
    home_node: str | None


@dataclass(frozen=True, slots=True)
class AddedUser:
    id: str
    code: str | None  # for the first login, where no passphrase was given


@dataclass
class Accounts:
    """The local accounts of one node, with the attempts counted since it started."""

    node: Any
    _tries: dict[str, list[int]] = field(default_factory=dict)

    # -- people ----------------------------------------------------------------------------------

    def add_user(self, name: str, role: str, passphrase: str | None, author: str | None = None) -> AddedUser:
        """Write a person, with a verifier or a one-time code. Raises NotEnrolled on a bare terminal."""
        user_id = uuid7()
        if passphrase is not None:
            self._write_person(user_id, name, role, author, self._verifier_keeper(str(user_id), passphrase))
            return AddedUser(str(user_id), None)
        code, keep = self.new_code(user_id=str(user_id))
        self._write_person(user_id, name, role, author, keep)
        return AddedUser(str(user_id), code)

    def login(self, name: str, passphrase: str) -> Person:
        """The person of that name and passphrase. Raises Unauthenticated or RateLimited."""
        self._count_try(_clean_name(name))
        person = self._local_person(name)
        kept = self._verifier(person.id) if person else None
        fits = verifier.fits(kept or verifier.NOBODY, passphrase)
        if person is None or kept is None or not fits:
            hint = "Check both, or ask HQ for a one-time code."
            raise Unauthenticated("wrong_login", "The name or the passphrase is wrong.", hint)
        self._tries.pop(_clean_name(name), None)
        return person

    def redeem_login_code(self, code: str, name: str, passphrase: str) -> Person:
        """Use a one-time code to set a passphrase here; a code for a role makes its first person."""
        self._count_try(f"{_clean_name(name)}\0code")
        row = self._live_code(code)
        user_id = row["user_id"] or str(uuid7())
        person = self._person(user_id)
        if row["user_id"] and (person is None or person.name != _clean_name(name)):
            hint = "Type the name that HQ gave you."
            raise Unauthenticated("wrong_code", "The code is for another name.", hint)
        keep_verifier = self._verifier_keeper(user_id, passphrase)

        def keep(connection: Connection) -> None:
            self._use_code(connection, row["code_hash"])
            keep_verifier(connection)

        if person is None:
            return self._write_person(uuid.UUID(user_id), name, row["role"], None, keep)
        self.node.local_write(keep)
        return person

    def new_code(self, *, user_id: str | None = None, role: str | None = None) -> tuple[str, Keep]:
        """A one-time code for a person, or for the first person of a role; and what keeps its hash."""
        code = "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(4))
        now = self.node.clock()
        expires = now + 60_000 * (CODE_MINUTES_ROLE if user_id is None else CODE_MINUTES_PERSON)
        columns = "code_hash, user_id, role, made_at, expires_at"
        return code, _insert("login_codes", columns, _digest(_clean_code(code)), user_id, role, now, expires)

    # -- sessions and tokens ---------------------------------------------------------------------

    def open_session(self, user_id: str) -> str:
        token, now = secrets.token_urlsafe(24), self.node.clock()
        columns = "id_hash, user_id, made_at, seen_at"
        self.node.local_write(_insert("sessions", columns, _digest(token), user_id, now, now))
        return token

    def person_of_session(self, token: str, *, touch: bool = True) -> Person | None:
        """The person of a live session; using it keeps it alive, unless it is only looked at (``touch``)."""
        now, id_hash = self.node.clock(), _digest(token)
        row = self._one("SELECT * FROM sessions WHERE id_hash = ? AND ended_at IS NULL", id_hash)
        if row is None or now - row["seen_at"] > SESSION_IDLE_MS or now - row["made_at"] > SESSION_MS_MAX:
            return None
        if touch and now - row["seen_at"] > SEEN_EVERY_MS:
            self._write("UPDATE sessions SET seen_at = ? WHERE id_hash = ?", now, id_hash)
        return self._person(row["user_id"])

    def end_session(self, token: str) -> None:
        statement = "UPDATE sessions SET ended_at = ? WHERE id_hash = ? AND ended_at IS NULL"
        self._write(statement, self.node.clock(), _digest(token))

    def make_token(self, name: str) -> str:
        """A bearer token of a person for the API; only its hash is kept."""
        person = self._local_person(name)
        if person is None:
            hint = "Add the person with `tomoshibi user add` on the node where they work."
            raise NotFound("unknown_user", f"nobody called {name} has an account on this node", hint)
        token = "tmb_" + secrets.token_urlsafe(30)
        columns = "token_hash, user_id, made_at"
        self.node.local_write(_insert("api_tokens", columns, _digest(token), person.id, self.node.clock()))
        return token

    def person_of_token(self, token: str) -> Person | None:
        statement = "SELECT user_id FROM api_tokens WHERE token_hash = ? AND revoked_at IS NULL"
        row = self._one(statement, _digest(token))
        return None if row is None else self._person(row["user_id"])

    def revoke_token(self, token: str) -> None:
        statement = "UPDATE api_tokens SET revoked_at = ? WHERE token_hash = ? AND revoked_at IS NULL"
        self._write(statement, self.node.clock(), _digest(token))

    # -- plain work ------------------------------------------------------------------------------

    def _write_person(self, user_id: uuid.UUID, name: str, role: str, author: str | None, keep: Keep) -> Person:
        if not self.node.enrolled:
            raise NotEnrolled("this terminal is not enrolled, and writes nothing before it is")
        if role not in catalog.table("roles").codes:
            known = "Known: " + ", ".join(catalog.table("roles").codes)
            raise Invalid("unknown_code", f"{role} is not a role", known, field="role")
        if self._local_person(name) is not None:
            hint = "Choose another name."
            raise Conflict("name_taken", f"{name} has an account here already", hint, field="name")
        form = {"name": name, "role": role, "active": True}
        change = user_records.create(user_id, CITY, form, home_node=self.node.node_id)
        result = self.node.write([change], author, local=keep)
        if not isinstance(result, Recorded):
            raise Conflict("not_written", f"{name} could not be written", "Try again.")
        return Person(str(user_id), change.fields["name"], role, None, self.node.node_id)

    def _verifier_keeper(self, user_id: str, passphrase: str) -> Keep:
        made, now = verifier.make(passphrase), self.node.clock()
        columns = "user_id, kind, verifier, made_at"
        return _insert("credentials", columns, user_id, "passphrase", made, now, replace=True)

    def _person(self, user_id: str) -> Person | None:
        record = users.get(self.node.reader(), user_id)
        if record is None or record["active"] in (False, 0):
            return None
        return Person(record.id, record["name"], record["role"], record["team"], record["home_node"])

    def _local_person(self, name: str) -> Person | None:
        """The active person of that name who may log in here."""
        for record in users.by_name(self.node.reader(), _clean_name(name)):
            person = self._person(record.id)
            if person is not None and self._at_home(person):
                return person
        return None

    def _at_home(self, person: Person) -> bool:
        # A user made on a device with `field` alone can log in on that device only: whoever holds a lost
        # tablet could otherwise make themselves a commander on every other node.
        if person.home_node in (None, self.node.node_id):
            return True
        home = nodes.get(self.node.reader(), person.home_node)
        return home is not None and "command" in (home["capabilities"] or ())

    def _verifier(self, user_id: str) -> str | None:
        row = self._one("SELECT verifier FROM credentials WHERE user_id = ? AND kind = 'passphrase'", user_id)
        return None if row is None else row["verifier"]

    def _live_code(self, code: str) -> Any:
        row = self._one("SELECT * FROM login_codes WHERE code_hash = ?", _digest(_clean_code(code)))
        if row is None:
            raise Unauthenticated("wrong_code", "There is no such code.", "Check the code letter by letter.")
        if row["used_at"] is not None:
            raise Unauthenticated("code_used", "This code was used already.", ASK_FOR_CODE)
        if self.node.clock() > row["expires_at"]:
            raise Unauthenticated("code_expired", "This code has expired.", ASK_FOR_CODE)
        return row

    def _use_code(self, connection: Connection, code_hash: bytes) -> None:
        statement = "UPDATE login_codes SET used_at = ? WHERE code_hash = ? AND used_at IS NULL"
        if connection.execute(statement, (self.node.clock(), code_hash)).rowcount != 1:
            raise Unauthenticated("code_used", "This code was used already.", ASK_FOR_CODE)

    def _one(self, statement: str, *values: Any) -> Any:
        return self.node.reader().execute(statement, values).fetchone()

    def _write(self, statement: str, *values: Any) -> None:
        def write(connection: Connection) -> None:
            connection.execute(statement, values)

        self.node.local_write(write)

    def _count_try(self, name: str) -> None:
        now = self.node.clock()
        tries = [at for at in self._tries.get(name, []) if 0 <= now - at < TRIES_WITHIN_MS]
        if len(tries) >= TRIES_MAX:
            raise RateLimited("too_many_tries", "Too many tries for this name.", "Wait a minute, then try again.")
        if len(self._tries) >= NAMES_COUNTED_MAX and name not in self._tries:
            self._tries.pop(next(iter(self._tries)))
        self._tries[name] = [*tries, now]


def _insert(table: str, columns: str, *values: Any, replace: bool = False) -> Keep:
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    statement = f"{verb} INTO {table} ({columns}) VALUES ({', '.join('?' * len(values))})"

    def keep(connection: Connection) -> None:
        connection.execute(statement, values)

    return keep


def _clean_name(name: str) -> str:
    # Half a surrogate pair comes in from JSON, and no database takes it.
    return unicodedata.normalize("NFC", name).strip().encode("utf-8", "replace").decode()


def _clean_code(code: str) -> str:
    return "".join(char for char in code.upper() if char in CODE_ALPHABET)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
