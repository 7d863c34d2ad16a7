"""How a command reaches a node: through the control socket, or by opening the store itself."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.errors import CommandFailed

if TYPE_CHECKING:
    from app.config import Settings
    from app.node import Node
    from app.store.folder import DataFolder
    from app.store.keys import NodeKeys

# Commands that a running node carries out for others; each is a module with ``perform(node, **arguments)``.
PERFORMED = (
    "user", "token", "enrol_code", "enrol", "status", "digest", "revoke", "heirs", "doctor", "import_", "backup",
    "pki", "grants", "grant", "shred", "export", "pin", "slots", "unlock",
    "replay",
)  # fmt: skip
PIN_CHARS_READ = 1024

_Command = Callable[..., Any]

home_option = click.option("--home", metavar="DIR", help="Data folder of the node (TOMOSHIBI_HOME).")
secret_option = click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help="File whose first line opens the backup; without it TOMOSHIBI_PASSPHRASE_FILE does.",
)
pin_option = click.option(
    "--pin-stdin", is_flag=True, required=True, help="Read the PIN from the first line of stdin; no other way is taken."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")


def settings_of(home: str | None, **flags: Any) -> Settings:
    """The settings of this run; ``--home`` may stand before or after the verb."""
    from app import config

    before = (click.get_current_context().find_root().obj or {}).get("home")
    return config.load({"home": home or before, **flags})


def carry_out(settings: Settings, command: str, **arguments: Any) -> Any:
    """The result of a command, from the running node or from the store that nobody has open."""
    from app import control
    from app.store.folder import DataFolder

    folder = DataFolder(settings.home)
    folder.require_node()
    answer = control.call(folder.control, command, arguments)
    if answer is not None:
        return answer
    with open_node(settings) as node:
        return perform(node, command, arguments)


def perform(node: Node, command: str, arguments: Mapping[str, Any]) -> Any:
    """Carry out a command on a node that is open in this process."""
    if command not in PERFORMED:
        raise CommandFailed("unknown_command", f"a running node does not carry out {command}", "Use one release.")
    return importlib.import_module(f"app.commands.{command}").perform(node, **arguments)


@contextlib.contextmanager
def open_node(settings: Settings, slot_key: bytes | None = None) -> Iterator[Node]:
    """The node of a data folder, under its lock, until the block ends; ``slot_key`` is what a PIN gave."""
    from app import recovery
    from app.node import Node
    from app.store.engine import refuse_old_engine
    from app.store.folder import DataFolder
    from app.store.keys import keys_under, read_keys

    refuse_old_engine()
    folder = DataFolder(settings.home)
    folder.require_node()
    with folder.lock():
        if slot_key is None:
            keys = read_keys(folder.keys, passphrase_of(settings))
        else:
            keys = keys_under(folder.keys, slot_key)
        node = Node.open(folder, keys, settings)
        try:
            recovery.keep(node)
            yield node
        finally:
            node.close()


def opened_keys(settings: Settings, folder: DataFolder, pin_stdin: bool) -> NodeKeys:
    """The keys of a folder whose lock is held, by passphrase file or by a PIN on stdin, which counts as a try."""
    from app.store.keys import keys_under, read_keys
    from app.store.pin import try_pin

    if not pin_stdin:
        return read_keys(folder.keys, passphrase_of(settings))
    return keys_under(folder.keys, try_pin(folder.keys, pin_of(pin_stdin)))


def passphrase_of(settings: Settings) -> bytes | None:
    from app.store.keys import read_passphrase

    return None if settings.passphrase_file is None else read_passphrase(settings.passphrase_file)


def pin_of(pin_stdin: bool) -> str:
    """The PIN that stands on the first line of stdin: an argument would stand in the list of processes."""
    import sys

    line = sys.stdin.readline(PIN_CHARS_READ).rstrip("\r\n") if pin_stdin else ""
    if not line:
        raise CommandFailed("pin_missing", "no PIN came on stdin", "Pipe it in, with --pin-stdin.")
    return line


def secret_of(settings: Settings, secret_file: Path | None) -> bytes | None:
    """What seals a backup: the first line of the file that was named, else this node's passphrase, else None."""
    from app.store.envelope import as_passphrase
    from app.store.keys import read_passphrase

    return passphrase_of(settings) if secret_file is None else as_passphrase(read_passphrase(secret_file))


def folder_of(settings: Settings) -> DataFolder:
    from app.store.folder import DataFolder

    return DataFolder(settings.home)


def print_json(result: Any) -> None:
    click.echo(json.dumps(result, ensure_ascii=False))


def iso(ms: int) -> str:
    """A time as the API writes it: Japan's, with its offset."""
    from datetime import datetime, timedelta, timezone

    return datetime.fromtimestamp(ms / 1000, timezone(timedelta(hours=9))).isoformat(timespec="seconds")
