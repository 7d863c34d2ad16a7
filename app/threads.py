"""Where work runs: beside the loop when gevent rules, at once where it does not.

Under gevent everything shares one native thread; what takes over 20 ms must leave it, or every clerk waits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def gevent_rules() -> bool:
    """True where gevent has replaced the standard library's threads."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def in_native_thread(call: Callable[[], T]) -> T:
    """Run ``call`` in a native thread and wait cooperatively; its error is raised here."""
    if not gevent_rules():
        return call()
    import gevent

    returned, error = gevent.get_hub().threadpool.apply(_caught, (call,))
    if error is not None:
        raise error
    result: T = returned
    return result


def _caught(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """An error as a value: gevent would log each that leaves a native thread, the expected ones too."""
    try:
        return call(), None
    except BaseException as error:  # it is raised where the call was asked for
        return None, error


def settle_native_threads(within_s: float) -> None:
    """Wait until no native thread works any more: a connection that is closed under a reader takes the process down."""
    if not gevent_rules():
        return
    import gevent

    with gevent.Timeout(within_s, False):
        gevent.get_hub().threadpool.join()


def native_thread_id() -> int:
    """The id of the native thread, also under gevent, where a greenlet has an id of its own."""
    if not gevent_rules():
        import threading

        return threading.get_ident()
    from gevent import monkey

    get_ident: Any = monkey.get_original("threading", "get_ident")
    return int(get_ident())
