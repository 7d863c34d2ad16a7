"""Five hundred terminals that lost their hub come back to it over TLS with mutual certificates. See ``storm``."""

from __future__ import annotations

from app.bench import storm

CLIENTS = 500


def run() -> None:
    storm.run("storm-tls", CLIENTS, tls=True)
