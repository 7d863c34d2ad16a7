"""`doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import AppError


@click.command("doctor")
@home_option
@json_option
def command(home: str | None, as_json: bool) -> int:
    """Examine this node; exit status 1 where something is wrong."""
    settings = settings_of(home)
    try:
        findings = carry_out(settings, "doctor")
    except AppError as error:  # a node that cannot be opened is a finding, too
        findings = [{"name": "node", "state": "wrong", "text": str(error), "hint": error.hint}]
    if as_json:
        print_json({"findings": findings})
    else:
        _print(findings)
    return 1 if any(finding["state"] == "wrong" for finding in findings) else 0


def _print(findings: list[dict[str, str]]) -> None:
    marks = {"ok": "✓", "warning": "!", "wrong": "✗"}
    for finding in findings:
        click.echo(f"{marks[finding['state']]} {finding['name']}: {finding['text']}")
        if finding["hint"]:
            click.echo(f"    {finding['hint']}")


def perform(node: Any) -> list[dict[str, Any]]:
    from app.doctor import examine

    return [asdict(finding) for finding in examine(node)]
