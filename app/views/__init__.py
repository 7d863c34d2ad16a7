"""The pages, one module a noun. ``factory.py`` calls ``register_views`` once."""

from __future__ import annotations

import time
from threading import Thread

from flask import Flask

from app.threads import gevent_rules
from app.views.attachments import pages as attachments_pages
from app.views.bulletins import pages as bulletins_pages
from app.views.chat_messages import pages as chat_messages_pages
from app.views.chronicle import pages as chronicle_pages
from app.views.conflicts import pages as conflicts_pages
from app.views.contradictions import pages as contradictions_pages
from app.views.damage_report_edits import pages as damage_report_edits_pages
from app.views.damage_report_people import pages as damage_report_people_pages
from app.views.damage_reports import pages as damage_reports_pages
from app.views.drafts import pages as drafts_pages
from app.views.enrolments import pages as enrolments_pages
from app.views.envelopes import pages as envelopes_pages
from app.views.error_pages import register_error_pages
from app.views.front import pages as front_pages
from app.views.handover_notes import pages as handover_notes_pages
from app.views.hazard import pages as hazard_pages
from app.views.head_counts import pages as head_counts_pages
from app.views.hq_meetings import pages as hq_meetings_pages
from app.views.incidents import pages as incidents_pages
from app.views.instruction_replies import pages as instruction_replies_pages
from app.views.instructions import pages as instructions_pages
from app.views.join import pages as join_pages
from app.views.joins import pages as joins_pages
from app.views.lock import pages as lock_pages
from app.views.login import pages as login_pages
from app.views.map import pages as map_pages
from app.views.more import pages as more_pages
from app.views.muster_answers import pages as muster_answers_pages
from app.views.musters import pages as musters_pages
from app.views.nodes import pages as nodes_pages
from app.views.patrol_points import pages as patrol_points_pages
from app.views.patrol_tracks import pages as patrol_tracks_pages
from app.views.patrols import pages as patrols_pages
from app.views.replay import pages as replay_pages
from app.views.replay import register_replay
from app.views.report_phrases import pages as report_phrases_pages
from app.views.sealed_reads import pages as sealed_reads_pages
from app.views.search import pages as search_pages
from app.views.second_factor import pages as second_factor_pages
from app.views.settings import pages as settings_pages
from app.views.shell import register_shell
from app.views.shelters import pages as shelters_pages
from app.views.staff import pages as staff_pages
from app.views.sync_status import pages as sync_status_pages
from app.views.tables import register_tables
from app.views.teams import pages as teams_pages
from app.views.users import pages as users_pages
from app.views.vouches import pages as vouches_pages

BREATH_SECONDS = 0.002
WANTED_FIRST = ("base", "_", "login/", "front/", "damage_reports/_row", "chat_messages/_", "sync_status/_")


def register_views(app: Flask) -> None:
    register_shell(app)
    register_error_pages(app)
    register_replay(app)
    for door in (login_pages, second_factor_pages, lock_pages, users_pages, vouches_pages, envelopes_pages):
        app.register_blueprint(door)
    app.register_blueprint(incidents_pages)
    app.register_blueprint(joins_pages)
    app.register_blueprint(front_pages)
    app.register_blueprint(attachments_pages)
    app.register_blueprint(drafts_pages)
    app.register_blueprint(damage_reports_pages)
    app.register_blueprint(damage_report_edits_pages)
    app.register_blueprint(damage_report_people_pages)
    app.register_blueprint(report_phrases_pages)
    app.register_blueprint(sealed_reads_pages)
    app.register_blueprint(conflicts_pages)
    app.register_blueprint(contradictions_pages)
    app.register_blueprint(handover_notes_pages)
    app.register_blueprint(teams_pages)
    app.register_blueprint(hazard_pages)
    app.register_blueprint(instructions_pages)
    app.register_blueprint(instruction_replies_pages)
    app.register_blueprint(bulletins_pages)
    app.register_blueprint(hq_meetings_pages)
    app.register_blueprint(chronicle_pages)
    app.register_blueprint(chat_messages_pages)
    app.register_blueprint(map_pages)
    for rounds in (patrols_pages, patrol_points_pages, patrol_tracks_pages):
        app.register_blueprint(rounds)
    app.register_blueprint(replay_pages)
    app.register_blueprint(shelters_pages)
    app.register_blueprint(musters_pages)
    app.register_blueprint(muster_answers_pages)
    app.register_blueprint(staff_pages)
    app.register_blueprint(search_pages)
    app.register_blueprint(head_counts_pages)
    app.register_blueprint(sync_status_pages)
    app.register_blueprint(settings_pages)
    app.register_blueprint(more_pages)
    register_tables(app)
    app.register_blueprint(nodes_pages)
    app.register_blueprint(enrolments_pages)
    app.register_blueprint(join_pages)
    if gevent_rules():
        Thread(target=_compile_templates, args=(app,), name="compile-templates", daemon=True).start()


def _compile_templates(app: Flask) -> None:
    """Beside the first requests of a node that serves, 0.4 s in all: the first person must not wait for it."""
    names = app.jinja_env.list_templates(extensions=["html"])
    for name in sorted(names, key=lambda name: not name.startswith(WANTED_FIRST)):
        app.jinja_env.get_template(name)
        time.sleep(BREATH_SECONDS)
