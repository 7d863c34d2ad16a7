"""One connection to the city's mail server: the letters that are due, one after the other, within limits of time.

A server that hangs, refuses or cuts costs its timeout and nothing else: the caller is a thread of its own, and what was
not taken stays in the spool.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from app.config import Settings

TIMEOUT_S = 15.0  # of each answer of the server; a greeting that takes longer is that of a spam trap
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server has it: it is no matter of ours any more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this letter: a mailbox that is not there."""

    why: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """This letter, or the server, is to be tried again. ``server``: none of the others can go either."""

    why: str
    server: bool


Outcome = Taken | Refused | NotNow


def deliver(settings: Settings, letters: Sequence[tuple[Named, EmailMessage]]) -> Iterator[tuple[Named, Outcome]]:
    """What became of each letter, as soon as it is known. Ends at the first sign that the server cannot go on."""
    try:
        connection = _connected(settings)
    except (OSError, smtplib.SMTPException) as error:
        yield letters[0][0], NotNow(_words(error), True)
        return
    try:
        for name, letter in letters:
            outcome = _sent(connection, letter)
            yield name, outcome
            if isinstance(outcome, NotNow) and outcome.server:
                return
    finally:
        _leave(connection)


def _connected(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host or "", settings.smtp_port
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            connection.starttls(context=context)
        if settings.smtp_user:
            connection.login(settings.smtp_user, _password(settings))
    except BaseException:
        connection.close()
        raise
    return connection


def _password(settings: Settings) -> str:
    path = settings.smtp_password_file
    return path.read_text("utf-8").splitlines()[0] if path else ""


def _sent(connection: smtplib.SMTP, letter: EmailMessage) -> Outcome:
    try:
        connection.send_message(letter)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _judged(code, said)
    except smtplib.SMTPResponseException as error:
        return _judged(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return NotNow(_words(error), True)
    return Taken()


def _judged(code: int, said: bytes | str) -> Outcome:
    """RFC 5321: 5xx stays, 4xx passes; 421 is the server that closes."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    told = f"{code} {text}"
    return Refused(told) if 500 <= code < 600 else NotNow(told, code == 421)


def _leave(connection: smtplib.SMTP) -> None:
    """Every letter is settled by now: a server that does not say goodbye changes nothing."""
    connection.close()


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
