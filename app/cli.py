"""The command line: one module of ``app.commands`` a verb, loaded when it is asked for.

Before: ``__main__`` patched what must be patched. After: a command asks the running node, or opens the store
itself (``commands/job``). An error is one line on stderr with a hint; the exit status is 0, 1 or 2.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from collections.abc import Sequence
from typing import Any

import click

from app.errors import AppError
from sync.errors import SyncError

# Verb → module of app.commands, with its line in --help: so that --help loads none of them.
COMMANDS = {
    "init": "Make a node: keys and an empty encrypted store.",
    "serve": "Run the node.",
    "demo": "Run a hub and two terminals with an invented city.",
    "user": "People who log in on this node.",
    "token": "Tokens for the HTTP API.",
    "enrol-code": "Make a one-time code that lets one terminal in.",
    "enrol": "Let this terminal into the city of a hub.",
    "status": "What this node knows.",
    "digest": "The digest of what is known, recomputed from the tables.",
    "rebuild": "Make the tables anew from the log.",
    "backup": "This node in one encrypted file.",
    "restore": "A backup back in a data folder.",
    "verify": "Whether a backup is whole.",
    "pin": "The PIN that opens this node after a restart.",
    "slots": "What opens this node's keys.",
    "rekey": "Both databases under a new key.",
    "wipe": "Destroy this node's keys and all that it holds.",
    "unlock": "Open a locked node, by its PIN or with the recovery file.",
    "grants": "Who can open what is sealed, and what was shredded.",
    "grant": "Let a node open what is sealed to HQ.",
    "shred": "Destroy a sealed scope's keys, everywhere and for ever.",
    "pki": "The city's TLS authority, and the certificates that it gave.",
    "heirs": "Who may let devices in when the hub is gone.",
    "revoke": "Let later operations of a device not count.",
    "import": "A city's own files: shelters, hazard layers, boundaries, basemaps.",
    "export": "A collection as a table for a spreadsheet.",
    "replay": "An incident's totals as they were known at a given time.",
    "doctor": "What is wrong, and how to mend it.",
    "bench": "Measure this machine: one JSON line a figure.",
}


def _module_of(verb: str) -> str:
    """`enrol-code` is ``enrol_code``; a verb that is a word of Python has a mark behind it (``import_``)."""
    return verb.replace("-", "_") + "_" * keyword.iskeyword(verb)


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"app.commands.{_module_of(name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="Data folder of the node (TOMOSHIBI_HOME).")
@click.version_option(package_name="tomoshibi", message="%(version)s")
@click.pass_context
def cli(context: click.Context, home: str | None) -> None:
    """Tomoshibi (灯): disaster management that goes on working when the network is gone."""
    context.obj = {"home": home}


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; the exit status."""
    try:
        result: Any = cli.main(arguments, prog_name="tomoshibi", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "tomoshibi"
        return _refuse(error.format_message(), f"See `{path} --help`.", 2)
    except click.ClickException as error:
        return _refuse(error.format_message(), "", 1)
    except (AppError, SyncError) as error:
        return _refuse(str(error), error.hint, 1)
    except (click.Abort, KeyboardInterrupt):
        return _refuse("stopped", "", 1)
    except BrokenPipeError:
        return 1  # whoever read our output has gone
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{name}{error.strerror or error}", "Check the disk and the rights on the folder.", 1)


def _refuse(message: str, hint: str, status: int) -> int:
    message = message.rstrip(".")
    print(f"tomoshibi: {message}. {hint}".rstrip(), file=sys.stderr)
    return status
