"""`serve`: run the node until it is told to stop."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import home_option, settings_of


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port (setting port, 8400); 0 takes a free one.")
@click.option("--host", help="Address to listen on (setting host, 127.0.0.1); others than loopback need TLS.")
@click.option("--tls-cert", metavar="FILE", help="Certificate chain in PEM (setting tls_cert).")
@click.option("--tls-key", metavar="FILE", help="Private key in PEM (setting tls_key).")
@click.option("--log-level", help="debug, info, warning or error (setting log_level).")
@home_option
def command(home: str | None, **flags: Any) -> None:
    """Run the node; one line says where it listens, SIGTERM or Ctrl-C ends it."""
    settings = settings_of(home, **flags)
    from app import server

    server.serve(settings)
