"""The map: its page, the skeleton that folium composed for it, its tiles, its markers, and the cards behind a tap.

Before: ``layers`` says what is in use. After: ``static/js/map``, which asks for data again when the doorbell rings.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from app import catalog
from app.permissions import permission
from app.queries import head_counts, patrol_points, shelters
from app.queries import map as queries
from app.skeletons import Skeletons, Wanted
from app.threads import gevent_rules
from app.views import ranges, saying, shell
from app.views.damage_reports import report_here
from app.views.shell import vendor
from maps import assets, render
from maps.layers import TILES_TYPE

YEAR = "private, max-age=31536000, immutable"
# What a layer is coloured by: the attribute of its tiles, and the table of the catalogue that has the colours.
COLOURED = {
    **dict.fromkeys(("flood_depth", "inland_flood", "storm_surge", "tsunami"), ("rank", "depth_ranks")),
    "flood_duration": ("rank", "duration_ranks"),
    "collapse_zone": ("code", "collapse_kinds"),
}
HAZARDS = ("flood_depth", "flood_duration", "collapse_zone", "inland_flood", "storm_surge", "tsunami", "landslide")

DRAWN_ROLES = frozenset({"tiles", "raster"})
_NAME = re.compile("[0-9a-f]{64}")

pages = Blueprint("map", __name__)


@pages.get("/incidents/<uuid:incident_id>/map")
@permission("layers", "read")
def show(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    if request.args.get("view") != "list":
        return render_template("map/show.html")
    lines = shelters.listed(shell.db(), incident.id)
    rows = queries.listed_reports(shell.db(), incident.id)
    points = queries.listed_points(shell.db(), incident.id)
    return render_template(
        "map/_list.html" if request.args.get("part") == "list" else "map/list.html",
        reports=rows[: queries.LISTED_MAX],
        more=len(rows) > queries.LISTED_MAX,
        lines=lines,
        people=head_counts.people(shell.db(), incident.id, shell.node().clock(), lines),
        points=points,
        gone=patrol_points.clearings(shell.db(), points),
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/incidents/<uuid:incident_id>/map/data")
@permission("layers", "read")
def data(incident_id: uuid.UUID) -> ResponseReturnValue:
    """All markers; 304 where nothing has changed since the answer whose ETag is given."""
    incident = shell.incident_here(incident_id)
    here, now = shell.db(), shell.node().clock()
    lines = shelters.listed(here, incident.id)
    counted = head_counts.people(here, incident.id, now, lines)
    people = {source.shelter_id: (source.total, source.state == "old") for source in counted.sources if source.posts}
    told = {
        "version": version(),
        "reports": queries.reports(here, incident.id),
        "shelters": queries.sites(lines, {key: (total or 0, old) for key, (total, old) in people.items()}),
        "patrols": queries.patrol_points(here, incident.id),
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    answer = Response(text, mimetype="application/json")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.set_etag(hashlib.sha256(text.encode()).hexdigest()[:24])
    return answer.make_conditional(request)


@pages.get("/incidents/<uuid:incident_id>/map/reports/<uuid:report_id>")
@permission("damage-reports", "read")
def report(incident_id: uuid.UUID, report_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template("map/_report.html", report=report_here(incident, report_id), unsent_ids=shell.unsent_ids())


@pages.get("/incidents/<uuid:incident_id>/map/shelters/<uuid:shelter_id>")
@permission("shelters", "read")
def shelter(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    found = shelters.get(shell.db(), str(shelter_id))
    if found is None:
        abort(404)
    line = shelters.line_of(shell.db(), incident.id, found)
    counted = head_counts.people(shell.db(), incident.id, shell.node().clock(), [line])
    return render_template("map/_shelter.html", shelter=found, line=line, source=counted.of(found.id))


@pages.get("/incidents/<uuid:incident_id>/map/patrols/<uuid:point_id>")
@permission("layers", "read")
def patrol_point(incident_id: uuid.UUID, point_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    found = queries.patrol_point(shell.db(), str(point_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    gone = patrol_points.clearings(shell.db(), [found]).get(found.id)
    return render_template("map/_patrol.html", point=found, gone=gone)


@pages.get("/map/<version>/map.js")
@permission("layers", "read")
def script(version: str) -> Response:
    return _part(version, "script", "text/javascript")


@pages.get("/map/<version>/map.css")
@permission("layers", "read")
def style(version: str) -> Response:
    return _part(version, "style", "text/css")


@pages.get("/layers/<sha256>.pmtiles")
@permission("layers", "read")
def tiles(sha256: str) -> Response:
    """A file of tiles, or the ranges of it that are asked for: only those are decrypted."""
    # Also a file whose layer was replaced a moment ago: a page that was drawn before goes on drawing it.
    if not _NAME.fullmatch(sha256) or shell.node().blobs.media_type(sha256) != TILES_TYPE:
        abort(404)
    return ranges.blob(shell.node(), sha256, TILES_TYPE, inline=True)


def in_use() -> list[Any]:
    """The layers of this node that can be drawn: those with tiles, be they lines and areas or pictures."""
    return [layer for layer in shell.node().layers.in_use() if layer.files.keys() & DRAWN_ROLES]


def version() -> str:
    return render.version_of(_drawn(), current_app.config["RELEASE"])


def frame() -> dict[str, Any]:
    """What templates/map/_frame.html stands on: the addresses of the skeleton, the layers, and the legend's rows."""
    layers, drawn = in_use(), _drawn()
    here = render.version_of(drawn, current_app.config["RELEASE"])
    shown = {layer.kind for layer in layers}
    return {
        "scripts": [vendor(name) for name in ("leaflet.js", "markercluster.js", "protomaps-leaflet.js")]
        + [shell.address("map.script", version=here)],
        "styles": [vendor("leaflet.css"), vendor("markercluster.css"), shell.address("map.style", version=here)],
        "version": here,
        "hazards": sorted(
            (layer for layer in layers if layer.kind in HAZARDS), key=lambda one: HAZARDS.index(one.kind)
        ),
        "grounds": [layer for layer in layers if layer.kind not in HAZARDS],
        "legends": [
            (kind, COLOURED[kind][1], catalog.table(COLOURED[kind][1]).items)
            for kind in HAZARDS
            if kind in shown and kind in COLOURED
        ],
        "status_words": {
            item.code: saying.word(item.code, "shelter_statuses") for item in catalog.table("shelter_statuses")
        },
        "missing": shell.node().layers.missing(),
    }


def _drawn() -> list[render.Drawn]:
    return [_drawn_as(layer) for layer in in_use()]


def _drawn_as(layer: Any) -> render.Drawn:
    by, table = COLOURED.get(layer.kind, ("", ""))
    pictures = "tiles" not in layer.files
    sha256, _ = layer.files["raster" if pictures else "tiles"]
    return render.Drawn(
        id=layer.id,
        kind=layer.kind,
        tiles=shell.address("map.tiles", sha256=sha256),
        zooms=(int(layer.zooms[0]), int(layer.zooms[1])) if layer.zooms else (0, 14),
        box=layer.bbox,
        pictures=pictures,
        on=layer.default_on or layer.kind in ("basemap", "boundary"),
        by=by,
        classes={item.code: (item.colour, item.hatch) for item in catalog.table(table)} if table else None,
    )


def _wanted() -> Wanted:
    drawn = _drawn()
    names = {name for scripts, styles in assets.NEEDS.values() for name in scripts + styles}
    here = render.version_of(drawn, current_app.config["RELEASE"])
    return Wanted(here, drawn, {name: vendor(name) for name in sorted(names)})


def _part(version: str, part: str, mimetype: str) -> Response:
    """A page that was drawn before an import asks for a version that is no more: it is told to draw itself again."""
    wanted = _wanted()
    if version != wanted.version:
        abort(404)
    skeletons: Skeletons = current_app.extensions["tomoshibi_skeletons"]
    answer = Response(getattr(skeletons.of(wanted), part), mimetype=mimetype)
    answer.headers["Cache-Control"] = YEAR
    return answer


@pages.record_once
def _remember(state: Any) -> None:
    app = state.app

    def wanted() -> Wanted:
        with app.test_request_context():
            return _wanted()

    app.extensions["tomoshibi_skeletons"] = skeletons = Skeletons(app.extensions["tomoshibi"], wanted)
    app.jinja_env.globals["map_frame"] = frame
    if gevent_rules():
        skeletons.keep_ready()
