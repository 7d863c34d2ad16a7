"""What follows a commit, in order: the pages of this node first (they wait for it), then keys, mail and peers.

Before: the writer has committed, or a file has become whole. After: ``live`` hints to browsers, ``sealing`` looks for
what can be opened, ``mail`` wakes, ``sync_links`` tells the peers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from app.store.projection import id_text
from sync.operation import CITY, RecordKey
from sync.replica import Committed

Changed = list[tuple[str, bytes, str]]  # (kind, scope, record id)
After = Callable[[Changed, Sequence[bytes]], None]  # what changed, and the files that became whole or were moved

log = logging.getLogger(__name__)


class Effects:
    """``failed`` is called behind an effect that raised."""

    def __init__(self, failed: Callable[[], None]) -> None:
        self._failed = failed
        self._subscribers: list[Callable[[Changed], None]] = []
        self._after: tuple[After, ...] = ()
        self._committed: list[Committed] = []
        self._moved: list[bytes] = []
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="effects", daemon=True)

    def start(self, *after: After) -> None:
        self._after = after
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)  # it reads: its connections must not be closed under it

    def committed(self, committed: Committed) -> None:
        self._committed.append(committed)
        self._wake.set()

    def moved(self, name: bytes) -> None:
        """A file became whole, or its holders changed."""
        self._moved.append(name)
        self._wake.set()

    def subscribe(self, callback: Callable[[Changed], None]) -> None:
        self._subscribers.append(callback)

    def tell(self, changed: Changed) -> None:
        """Tell the pages at once, of what is of this node alone."""
        for subscriber in self._subscribers:
            subscriber(changed)

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            self._wake.clear()
            committed, self._committed = self._committed, []
            named, self._moved = self._moved, []  # another thread may name one more at any moment
            moved = list(dict.fromkeys(named))
            if not committed and not moved:
                continue
            keys: set[RecordKey] = set().union(*(one.changed for one in committed))
            changed = [(kind, scope, id_text(record)) for kind, scope, record in sorted(keys)]
            changed += [("blobs", CITY, name.hex()) for name in moved]
            for subscriber in self._subscribers:  # also where only a receipt was kept: no page must stay at "not sent"
                self._carry_out(partial(subscriber, changed))
            for after in self._after:
                self._carry_out(partial(after, changed, moved))

    def _carry_out(self, effect: Callable[[], None]) -> None:
        """One that fails keeps the effect from nobody else: the loop once ended at the first page it could not read."""
        try:
            effect()
        except Exception:
            log.exception("an effect of a commit could not be carried out")
            self._failed()
