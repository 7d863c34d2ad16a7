"""`doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.commands.job import carry_out, folder_of, home_option, json_option, opened_keys, print_json, settings_of
from app.errors import AppError

if TYPE_CHECKING:
    from app.config import Settings


@click.command("doctor")
@click.option("--mend", is_flag=True, help="Set a damaged store aside and make it anew; the node must not run.")
@click.option("--pin-stdin", is_flag=True, help="With --mend: read the PIN of a locked node from stdin.")
@home_option
@json_option
def command(home: str | None, mend: bool, pin_stdin: bool, as_json: bool) -> int:
    """Examine this node; exit status 1 where something is wrong."""
    settings = settings_of(home)
    if mend:
        return _mend(settings, pin_stdin, as_json)
    try:
        findings = carry_out(settings, "doctor")
    except AppError as error:  # a node that cannot be opened is a finding, too
        findings = [{"name": "node", "state": "wrong", "text": str(error), "hint": error.hint}]
    if as_json:
        print_json({"findings": findings})
    else:
        _print(findings)
    return 1 if any(finding["state"] == "wrong" for finding in findings) else 0


def _mend(settings: Settings, pin_stdin: bool, as_json: bool) -> int:
    from app.mend import mend

    folder = folder_of(settings)
    with folder.lock():
        done = mend(folder, opened_keys(settings, folder, pin_stdin))
    if as_json:
        print_json(done.as_dict())
        return 0
    if not done.files:
        click.echo("Every page has its right seal: there is nothing to mend.")
        return 0
    click.echo(f"{' and '.join(done.files)} made anew. The damaged files lie in {done.aside}, as they were.")
    click.echo(f"  flipped bits put right: {done.bits_put_right}; pages that could not be read: {done.pages_lost}")
    if "tomoshibi.db" in done.files:
        click.echo(f"  operations kept: {done.operations}, of them written again: {done.written_again}")
        click.echo(f"  that wait for what another node holds: {done.waiting}")
    if "blobs.db" in done.files:
        click.echo(f"  attachments kept: {done.attachments}; to come again: {done.attachments_lost}")
    if not done.enrolled:
        click.echo("It no longer knows its city: on the hub `tomoshibi enrol-code`, then here `tomoshibi enrol`.")
    click.echo("Now start the node: what is missing comes from the other nodes.")
    return 0


def _print(findings: list[dict[str, str]]) -> None:
    marks = {"ok": "✓", "warning": "!", "wrong": "✗"}
    for finding in findings:
        click.echo(f"{marks[finding['state']]} {finding['name']}: {finding['text']}")
        if finding["hint"]:
            click.echo(f"    {finding['hint']}")


def perform(node: Any) -> list[dict[str, Any]]:
    from app.doctor import examine

    return [asdict(finding) for finding in examine(node)]
