"""Seeds that once failed, by what they found. They stay for ever.

What a seed does changes with the workload; so what each of them found stands also as a test of its own, named here.
"""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    seed: int
    nodes: int
    steps: int
    what: str


REGRESSIONS = (
    Found(20, 6, 150, "a short tail that counts was hidden from the holder of a longer one that had lost"),
    Found(35, 6, 150, "a lost tail that a peer told was taken for a sign that it holds what counts"),
    Found(147, 6, 150, "a copy from before the first report gave the first number once more"),
    Found(1013, 6, 150, "an entry was content with a number that only a lost tail bore, until the tables were rebuilt"),
    Found(1169, 6, 150, "a number of a lost tail was taken for what an origin names of its own chain"),
    Found(1188, 6, 150, "a lost tail did not spread between nodes that hold the same of what counts"),
    Found(2110, 6, 150, "a list element that is no file, of a hostile device, had every edit of the photos refused"),
    Found(
        3107,
        6,
        150,
        "a body of a later release in a lost tail was judged under the number of the operation that counts",
    ),
)
