"""What a node fetches by itself, what it counts as unsent, and what it cleans away."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace
from typing import Any

from app import wishes
from app.node import Node
from app.queries import attachments as queries
from app.records import attachments, layers
from app.store import meta
from sync.operation import incident_scope

INCIDENT = "0197a000-0000-7000-8000-000000000001"
SCOPE = incident_scope("drill", bytes.fromhex(INCIDENT.replace("-", "")))


def name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def facts(text: str, **more: Any) -> dict[str, Any]:
    """A photo with a view and a thumbnail, none of which is here."""
    return {
        "sha256": name(text), "size": 1_000_000, "media_type": "image/jpeg", "view": name(text + " view"),
        "view_size": 300_000, "thumb": name(text + " thumb"), "thumb_size": 9_000, **more,
    }  # fmt: skip


def layer(text: str) -> dict[str, Any]:
    files = [{"role": "tiles", "sha256": name(text), "size": 70, "media_type": "application/vnd.pmtiles"}]
    return {"key": f"flood_depth:{text}:-", "layer_kind": "flood_depth", "title": text, "files": files}


def described(node: Node, *texts: str) -> None:
    node.write([attachments.described(SCOPE, facts(text)) for text in texts], None)


def told(node: Node, is_hub: bool) -> list[tuple[str, int]]:
    return [(file.sha256, file.rank) for file in queries.wanted(node.reader(), is_hub)]


def test_a_hub_fetches_everything_and_a_terminal_layers_and_thumbnails(hub: Node) -> None:
    described(hub, "photo")
    hub.write([layers.imported(layer("layer"))], None)
    all_of_it = [
        (name("layer"), queries.LAYER), (name("photo thumb"), queries.THUMB), (name("photo view"), queries.VIEW),
        (name("photo"), queries.ORIGINAL),
    ]  # fmt: skip
    assert told(hub, True) == all_of_it
    assert told(hub, False) == all_of_it[:2]


def test_sizes_and_kinds_come_from_the_record(hub: Node) -> None:
    described(hub, "photo")
    found = {file.rank: (file.size, file.media_type) for file in queries.wanted(hub.reader(), True)}
    assert found[queries.THUMB] == (9_000, "image/jpeg") and found[queries.ORIGINAL] == (1_000_000, "image/jpeg")
    view = queries.about(hub.reader(), name("photo view"))
    assert view is not None and (view.rank, view.size) == (queries.VIEW, 300_000)
    assert queries.about(hub.reader(), name("nobody names it")) is None


def test_what_is_named_is_wished_for_until_it_is_here(hub: Node) -> None:
    status = hub.links.wishes.status
    described(hub, "photo")
    hub.links.wishes.changed([("attachments", SCOPE, str(attachments.record_of(name("photo"))))])
    assert status() == {"held": 0, "wanted": 3, "bytes_wanted": 1_309_000, "unsent": 0}


def test_the_files_of_a_record_are_described_in_its_order(hub: Node) -> None:
    described(hub, "one", "two")
    assert queries.described(hub.reader(), name("one")).fields["thumb"] == name("one thumb")  # type: ignore[union-attr]
    assert queries.described(hub.reader(), "no hash") is None

    report: Any = SimpleNamespace(fields={"attachments": [name("two"), name("nobody"), name("one")]})
    found = queries.of_record(hub.reader(), report)
    assert [record["sha256"] for record in found] == [name("two"), name("one")]


def test_a_photo_counts_as_unsent_until_its_receipt_and_only_when_a_record_names_it(hub: Node) -> None:
    """On a hub that takes another node for its hub, for a terminal here could not write."""
    other = bytes(16)
    hub.role = "terminal"
    hub.local_write(lambda connection: meta.write(connection, "hub_node", other))
    hub.blobs.put(b"a draft's photo", "image/jpeg")
    for text in ("photo", "photo view", "photo thumb"):
        hub.blobs.put(text.encode(), "image/jpeg")
    assert hub.links.wishes.status()["unsent"] == 0
    described(hub, "photo")
    hub.links.wishes.changed([])
    assert hub.links.wishes.status()["unsent"] == 1
    hub.blobs.note_holders(other, [bytes.fromhex(name("photo"))])
    hub.links.wishes.changed([])
    assert hub.links.wishes.status()["unsent"] == 0


def test_what_nothing_names_goes_after_a_month(hub: Node) -> None:
    kept = [hub.blobs.put(text.encode(), "x/y") for text in ("photo", "photo view", "layer", "in use", "draft")]
    forgotten = hub.blobs.put(b"forgotten", "x/y")
    described(hub, "photo")
    hub.write([layers.imported(layer("layer"))], None)
    in_use, draft = {"files": [{"sha256": name("in use")}]}, facts("draft")

    def note(connection: Any) -> None:
        connection.execute("INSERT INTO layers_in_use VALUES ('x', ?, 1)", (json.dumps(in_use),))
        connection.execute("INSERT INTO attachment_facts VALUES (?, ?, 1)", (name("draft"), json.dumps(draft)))

    hub.local_write(note)
    hub.links.wishes._delete_unnamed()
    assert hub.blobs.has(forgotten), "it is young"
    hub.blobs._now = lambda: 0  # type: ignore[method-assign]
    old = hub.blobs.put(b"old and forgotten", "x/y")
    hub.blobs._connection.execute("UPDATE blob SET at = ?", (hub.wall() - wishes.KEPT_MS - 1,))  # type: ignore[union-attr]
    hub.links.wishes._delete_unnamed()
    assert not hub.blobs.has(old) and not hub.blobs.has(forgotten)
    assert all(hub.blobs.has(sha256) for sha256 in kept)
