"""What the sync page and the strip of every page say when it is not the hub that answers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, render_template

from app import messages
from app.queries.sync_status import SyncState
from app.views import shell


def state(code: str | None, kind: str = "alone") -> SyncState:
    return SyncState(kind, 3, "本部", 1_790_000_000_000, hub_fault=code)  # type: ignore[arg-type]


@pytest.fixture
def render(monkeypatch: pytest.MonkeyPatch) -> Any:
    from flask_babel import Babel

    app = Flask("app")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(app, default_locale="ja")
    app.template_filter("when")(str)
    app.template_filter("iso")(str)
    app.add_url_rule("/sync", "sync_status.show", lambda: "")

    def made(template: str, sync: SyncState) -> str:
        with app.test_request_context():
            return render_template(template, sync=sync, mark=lambda *_: "", hub_fault=messages.hub_fault)

    return made


@pytest.mark.parametrize("code", ["hub_other", "hub_not"])
def test_a_false_hub_is_said_on_every_page_with_what_to_do(code: str, render: Any) -> None:
    page = render("sync_status/_strip.html", state(code))
    assert "本部の証明書が違います" in page and "何も送っていません" in page and "記録はこの端末に残ります" in page


def test_a_line_that_is_only_cut_is_said_as_before(render: Any) -> None:
    for code in (None, "lost", "stalled"):
        page = render("sync_status/_strip.html", state(code))
        assert "から届きません" in page and "証明書" not in page


def test_a_hub_that_is_reached_has_no_fault(render: Any) -> None:
    assert "証明書" not in render("sync_status/_strip.html", state("hub_other", "synced"))


def test_every_reason_not_to_speak_to_a_hub_has_words() -> None:
    """The codes that the dialler, the gate and the hello give."""
    for code in (
        "hub_other", "hub_not", "hub_revoked", "hub_ended", "no_leaf", "leaf_refused", "no_tls_authority",
        "certificate_ended", "certificate_revoked", "relayed", "revoked",
    ):  # fmt: skip
        found = messages.hub_fault(code)
        assert found is not None and found.happened and found.todo, code
    assert messages.hub_fault("lost") is None
    assert shell.hub_fault is messages.hub_fault
