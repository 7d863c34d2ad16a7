"""The order of a ledger's entries: the same on every node, and never below what an entry answers. Pure.

``key = max(own hlc, 1 + the greatest key among the entries in "after" that are held and count)``, then (origin, lane,
seq).
Because of ``after``, an answer to a tablet whose clock stands ten years ahead still stands below its question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.operation import Version


@dataclass(frozen=True, slots=True)
class Entry:
    version: Version
    hlc: int
    after: tuple[Version, ...]


def key_of(hlc: int, after_keys: list[int]) -> int:
    """The key of one entry from the keys of those that it follows."""
    return max(hlc, 1 + max(after_keys)) if after_keys else hlc


def keys(entries: Mapping[Version, Entry]) -> dict[Version, int]:
    """The key of every entry of a ledger. Entries that name each other in a circle take their own stamp."""
    waiting: dict[Version, set[Version]] = {}
    followers: dict[Version, list[Version]] = {}
    for version, entry in entries.items():
        held = {name for name in entry.after if name in entries and name != version}
        waiting[version] = held
        for name in held:
            followers.setdefault(name, []).append(version)
    circle = _in_a_circle(waiting)
    result: dict[Version, int] = {version: entries[version].hlc for version in circle}
    ready = [version for version, held in waiting.items() if version not in circle and held <= circle]
    done = set(circle)
    while ready:
        version = ready.pop()
        if version in done:
            continue
        entry = entries[version]
        result[version] = key_of(entry.hlc, [result[name] for name in waiting[version]])
        done.add(version)
        ready += [name for name in followers.get(version, ()) if name not in done and waiting[name] <= done]
    return result


def _in_a_circle(waiting: Mapping[Version, set[Version]]) -> set[Version]:
    """The versions that stand in a circle of names (strongly connected components of two or more)."""
    index: dict[Version, int] = {}
    low: dict[Version, int] = {}
    stack: list[Version] = []
    on_stack: set[Version] = set()
    found: set[Version] = set()
    for root in waiting:
        if root in index:
            continue
        work: list[tuple[Version, list[Version]]] = [(root, sorted(waiting[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            version, names = work[-1]
            if names:
                name = names.pop()
                if name not in index:
                    index[name] = low[name] = len(index)
                    stack.append(name)
                    on_stack.add(name)
                    work.append((name, sorted(waiting[name])))
                elif name in on_stack:
                    low[version] = min(low[version], index[name])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[version])
            if low[version] == index[version]:
                component = _pop_component(stack, on_stack, version)
                if len(component) > 1:
                    found.update(component)
    return found


def _pop_component(stack: list[Version], on_stack: set[Version], root: Version) -> list[Version]:
    component: list[Version] = []
    while True:
        version = stack.pop()
        on_stack.discard(version)
        component.append(version)
        if version == root:
            return component
