from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from app.effects import Changed, Effects
from sync.operation import CITY


def test_one_that_fails_keeps_the_effect_from_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    heard, done, failed = list[tuple[Changed, Sequence[bytes]]](), threading.Event(), list[str]()

    def unreadable(changed: Changed) -> None:
        raise OSError("a page of the disk")

    def after(changed: Changed, moved: Sequence[bytes]) -> None:
        heard.append((changed, moved))
        done.set()

    effects = Effects(lambda: failed.append("told"))
    effects.subscribe(unreadable)
    for _ in range(2):
        effects.moved(b"\x01" * 32)  # twice before anybody looks: told once
    with caplog.at_level(logging.CRITICAL, logger="app.effects"):
        effects.start(after)
        assert done.wait(5)
        effects.stop()
    assert heard == [([("blobs", CITY, "01" * 32)], [b"\x01" * 32])]
    assert failed == ["told"]


def test_what_is_of_this_node_alone_is_told_at_once_and_to_pages_only() -> None:
    told, effects = list[Changed](), Effects(lambda: None)
    effects.subscribe(told.append)
    effects.tell([])
    assert told == [[]]
