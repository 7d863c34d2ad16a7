"""The WSGI server over TLS: a handshake has a limit of time, and each request knows what its connection has proved."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import gevent

from app.config import Settings
from app.errors import CommandFailed
from app.slow_clients import Handler, Server
from app.tls import contexts
from app.tls.gate import KEY, Seen
from app.tls.own import OwnTls

# Two tablets on a bad radio line need 1.5 s; who takes longer than this holds a place for nothing.
HANDSHAKE_S_MAX = 8.0
log = logging.getLogger(__name__)


class TlsHandler(Handler):
    """One for a connection: its leaves do not change while it stands."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[KEY] = Seen(self.socket.shown_leaf, self.socket.getpeercert(binary_form=True))
        return environ


class TlsServer(Server):
    """Serves with the node's own leaf, and takes each new one without a restart; or with the pair of the settings."""

    def __init__(self, listener: Any, application: Any, own: OwnTls, settings: Settings, **more: Any) -> None:
        self._leaf = b""
        context = own.serving(self._took) if settings.tls_cert is None else self._given(own, settings)
        super().__init__(
            listener,
            application,
            handler_class=TlsHandler,
            ssl_context=context,
            do_handshake_on_connect=False,
            **more,
        )

    def _took(self, leaf: bytes) -> None:
        self._leaf = leaf

    def _given(self, own: OwnTls, settings: Settings) -> ssl.SSLContext:
        context = given(settings)
        contexts.ask(context, own.held)
        assert settings.tls_cert is not None
        self._leaf = ssl.PEM_cert_to_DER_cert(_first(settings.tls_cert.read_text("ascii")))
        return context

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> Any:
        shown = self._leaf  # what OpenSSL takes from the context for this connection, now and not later
        connection = self.wrap_socket(client_socket, **self.ssl_args)
        try:
            if self._shakes_hands(connection, address):
                connection.shown_leaf = shown
                return self.handle(connection, address)
        finally:
            connection.close()
        return None

    def _shakes_hands(self, connection: Any, address: Any) -> bool:
        try:
            with gevent.Timeout(HANDSHAKE_S_MAX):
                connection.do_handshake()
        except (OSError, ValueError, gevent.Timeout) as error:  # a stranger's handshake is no event: no trace of it
            log.debug("no TLS with %s: %s", address, error)
            return False
        return True


def given(settings: Settings) -> ssl.SSLContext:
    """The pair of `tls_cert` and `tls_key`, of a city that has an authority of its own. Raises CommandFailed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)  # type: ignore[arg-type]
    except (ssl.SSLError, OSError) as error:
        raise CommandFailed("tls_unusable", f"the certificate cannot be used: {error}", "Check both files.") from error
    return context


def _first(chain: str) -> str:
    end = "-----END CERTIFICATE-----"
    return chain[chain.index("-----BEGIN CERTIFICATE-----") : chain.index(end) + len(end)] + "\n"
