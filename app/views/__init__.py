"""The pages, one module a noun. ``factory.py`` calls ``register_views`` once."""

from __future__ import annotations

from flask import Flask

from app.views.chat_messages import pages as chat_messages_pages
from app.views.conflicts import pages as conflicts_pages
from app.views.damage_report_edits import pages as damage_report_edits_pages
from app.views.damage_reports import pages as damage_reports_pages
from app.views.error_pages import register_error_pages
from app.views.front import pages as front_pages
from app.views.incidents import pages as incidents_pages
from app.views.login import pages as login_pages
from app.views.settings import pages as settings_pages
from app.views.shell import register_shell
from app.views.sync_status import pages as sync_status_pages


def register_views(app: Flask) -> None:
    register_shell(app)
    register_error_pages(app)
    app.register_blueprint(login_pages)
    app.register_blueprint(incidents_pages)
    app.register_blueprint(front_pages)
    app.register_blueprint(damage_reports_pages)
    app.register_blueprint(damage_report_edits_pages)
    app.register_blueprint(conflicts_pages)
    app.register_blueprint(chat_messages_pages)
    app.register_blueprint(sync_status_pages)
    app.register_blueprint(settings_pages)
