"""Skeletons of the map: composed in a child, remembered over a start, and ready before somebody asks."""

from __future__ import annotations

import json
import sys

import pytest

from app import skeletons
from app.node import Node
from app.skeletons import Skeletons, Wanted
from app.store import meta
from maps import assets, render

FILES = sorted({name for scripts, styles in assets.NEEDS.values() for name in scripts + styles})
ADDRESSES = {name: f"/static/vendor/{name}" for name in FILES}


def wanted(release: str = "1") -> Wanted:
    layers = [render.Drawn("b", "boundary", "/layers/cd.pmtiles", (10, 15), (136.01, 31.51, 136.05, 31.53), True)]
    return Wanted(render.version_of(layers, release), layers, ADDRESSES)


def test_the_child_composes_what_this_process_would_and_folium_stays_out_of_it(hub: Node) -> None:
    had = "folium" in sys.modules
    found = Skeletons(hub, wanted).of(wanted())
    assert ("folium" in sys.modules) == had
    assert found == render.skeleton(wanted().layers, ADDRESSES.__getitem__)


def test_after_a_start_the_newest_is_still_known_and_no_child_is_run(
    hub: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Skeletons(hub, wanted).of(wanted())
    monkeypatch.setattr(skeletons.child, "run", lambda *_, **__: pytest.fail("a child was run"))
    assert Skeletons(hub, wanted).of(wanted()) == first


def test_another_release_is_composed_anew_and_takes_the_place_of_the_older(hub: Node) -> None:
    known = Skeletons(hub, wanted)
    known.of(wanted("1"))
    known.of(wanted("2"))
    kept = meta.read_text(hub.reader(), skeletons.KEPT)
    assert kept is not None and json.loads(kept)["version"] == wanted("2").version


def test_it_is_composed_before_anybody_asks(hub: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeletons, "SOON_S", 0)
    done = skeletons.threading.Event()
    known = Skeletons(hub, wanted)
    monkeypatch.setattr(known, "of", lambda asked: done.set() if asked == wanted() else None)
    known.keep_ready()
    assert done.wait(10)
