"""The map's skeleton: complete, the same for the same layers, and never asking anybody else for anything."""

from __future__ import annotations

import json
import re
import sys

import pytest

from maps import assets, render
from maps.errors import ForeignAsset

FLOOD = render.Drawn(
    "flood-id", "flood_depth", "/layers/ab.pmtiles", (10, 15), (136.0, 31.5, 136.06, 31.54), True,
    "rank", {"1": ("#f7f5a9", "dots"), "2": ("#ffd8c0", "lines")},
)  # fmt: skip
BOUNDARY = render.Drawn("b", "boundary", "/layers/cd.pmtiles", (10, 15), (136.01, 31.51, 136.05, 31.53), True)


def vendor(name: str) -> str:
    return f"/static/vendor/x-1.0/{name}"


def test_the_skeleton_loads_only_our_own_files() -> None:
    parts = render.skeleton([FLOOD], vendor)
    assert parts.scripts == tuple(map(vendor, ("leaflet.js", "markercluster.js", "protomaps-leaflet.js")))
    assert parts.styles == tuple(map(vendor, ("leaflet.css", "markercluster.css")))
    assert not re.search("https?:|jquery|bootstrap|fontawesome|awesome", parts.script + parts.style + parts.body)


def test_the_script_hands_over_the_map_its_groups_and_every_layer() -> None:
    script = render.skeleton([FLOOD, BOUNDARY], vendor).script
    handed = script[script.index("Object.assign(") + len("Object.assign(") :]
    told, _ = json.JSONDecoder().raw_decode(handed)
    assert [layer["id"] for layer in told["layers"]] == ["flood-id", "b"]
    assert told["layers"][0]["classes"]["2"] == ["#ffd8c0", "lines"]
    assert told["home"] == [136.01, 31.51, 136.05, 31.53], "the map opens on the city, not on the whole layer"
    for name in ("map: map_tomoshibi", "reports: marker_cluster_reports", "shelters: feature_group_shelters"):
        assert name in handed


def test_with_no_layer_at_all_there_is_still_a_map() -> None:
    parts = render.skeleton([], vendor)
    assert '"home": null' in parts.script
    assert parts.body == '<div class="folium-map" id="map_tomoshibi" ></div>'


def test_a_style_rule_of_folium_never_reaches_the_page_around_the_map() -> None:
    style = render.skeleton([], vendor).style
    assert "#map_tomoshibi" in style
    assert "html, body" not in style


def test_the_version_changes_with_what_is_drawn_and_with_the_release() -> None:
    first = render.version_of([FLOOD], "0.1.0")
    assert first == render.version_of([FLOOD], "0.1.0")
    assert len({first, render.version_of([FLOOD, BOUNDARY], "0.1.0"), render.version_of([FLOOD], "0.2.0")}) == 3


def test_a_title_that_looks_like_markup_stays_a_text() -> None:
    sly = render.Drawn("</script><script>alert(1)</script>", "boundary", "/layers/x.pmtiles", (1, 2), None, True)
    script = render.skeleton([sly], vendor).script
    assert "</script>" not in script
    assert "\\u003c/script>" in script


@pytest.mark.parametrize(
    "planted",
    [
        '<body></body><script src="https://cdn.example/leaflet.js"></script>',
        '<body><link rel="stylesheet" href="//cdn.example/a.css"></body>',
        "<body></body><script>fetch('https://tiles.example/1')</script>",
        "<style>#map_tomoshibi { background: url(https://cdn.example/a.png) }</style><body></body>",
        '<body><img src="http://other.example/a.png"></body>',
    ],
)
def test_a_figure_that_names_another_host_is_refused(planted: str) -> None:
    with pytest.raises(ForeignAsset):
        assets.split(planted, "map_tomoshibi")


def test_a_class_of_folium_that_nobody_decided_on_is_refused() -> None:
    from folium.plugins import HeatMap

    with pytest.raises(KeyError):
        assets.local(HeatMap([[1, 2]]), vendor)


def test_folium_is_not_loaded_before_a_map_is_drawn() -> None:
    import subprocess

    told = "import sys, app.views.map, maps.render; print('folium' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "False"
