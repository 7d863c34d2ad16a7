"""The pages, one module a noun. ``factory.py`` calls ``register_views`` once."""

from __future__ import annotations

from flask import Flask

from app.views import (
    chat_messages,
    conflicts,
    damage_report_edits,
    damage_reports,
    error_pages,
    front,
    incidents,
    login,
    settings,
    shell,
    sync_status,
)


def register_views(app: Flask) -> None:
    shell.register_shell(app)
    error_pages.register_error_pages(app)
    for module in (
        login,
        incidents,
        front,
        damage_reports,
        damage_report_edits,
        conflicts,
        chat_messages,
        sync_status,
        settings,
    ):
        app.register_blueprint(module.pages)
