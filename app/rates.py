"""How much one caller may ask over HTTP: a bucket for each session, each token that was accepted, each address.

Before: ``edges`` let the request's origin pass. After: the gate of ``views/session`` and ``api/security``. HQ at work
never meets these limits; they are there for a program that runs wild. A token that nobody here knows counts for its
address: whoever invents tokens gets no new bucket with each.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Flask, Response, g, request, session
from flask.typing import ResponseReturnValue

from app import messages
from app.buckets import Buckets, Rate
from app.views.error_pages import MACHINE_PATHS, problem

# A page asks for some sixty files when it is first opened, a map for some fifty tiles at each step; a harness of the
# API made 300 records a second on two cores.
BY_TOKEN = Rate(burst=10_000, per_s=200)
BY_SESSION = Rate(burst=10_000, per_s=100)
BY_ADDRESS = Rate(burst=5_000, per_s=100)
UPLOADS = Rate(burst=300, per_s=5)
CALLERS_MAX = 4_096
UPLOAD_ENDPOINTS = ("api.attachments_create", "attachments.create")
HINT = "Wait as long as Retry-After says, and ask less often."


class Rates:
    """The buckets of a node, and which tokens it has accepted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        rates = {"token": BY_TOKEN, "session": BY_SESSION, "address": BY_ADDRESS}
        self._buckets = {kind: Buckets(rate, CALLERS_MAX) for kind, rate in rates.items()}
        self._uploads = Buckets(UPLOADS, CALLERS_MAX)
        self._accepted: OrderedDict[str, None] = OrderedDict()

    def wait_s(self) -> float:
        """0 where the request of this moment may pass; otherwise how long its caller has to wait."""
        kind, name = self._caller()
        wait = self._buckets[kind].take(name, self._clock())
        if not wait and request.method == "POST" and request.endpoint in UPLOAD_ENDPOINTS:
            wait = self._uploads.take(f"{kind} {name}", self._clock())
        return wait

    def accept(self) -> None:
        """The token of this request is one that this node made."""
        if (name := _token_name()) is not None:
            self._accepted[name] = None
            self._accepted.move_to_end(name)
            while len(self._accepted) > CALLERS_MAX:
                self._accepted.popitem(last=False)

    def _caller(self) -> tuple[str, str]:
        name = _token_name()
        if name is not None and name in self._accepted:
            return "token", name
        if own := session.get("token"):  # the cookie is signed by this node
            return "session", str(own)
        return "address", request.remote_addr or ""


def limit(app: Flask, rates: Rates) -> None:
    @app.before_request
    def refuse_too_many() -> ResponseReturnValue | None:
        wait = rates.wait_s()
        return _too_many(wait) if wait else None

    @app.after_request
    def remember_token(answer: Response) -> Response:
        if "person" in g:
            rates.accept()
        return answer


def _token_name() -> str | None:
    header = request.headers.get("Authorization")
    return None if not header else hashlib.blake2b(header.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _too_many(wait_s: float) -> Response:
    """Cheap on purpose: a whole page would cost more than what was refused."""
    if request.path.startswith(MACHINE_PATHS):
        answer = problem(429, "too_many_requests", "This caller asks too much at once.", HINT)
    else:
        answer = Response(f"{messages.TOO_MANY_REQUESTS}\n", 429, mimetype="text/plain")
    answer.headers["Retry-After"] = str(math.ceil(wait_s))
    return answer
