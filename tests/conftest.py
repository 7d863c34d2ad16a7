"""What holds for all tests: Hypothesis gives each example the time that a busy machine needs for it.

In ``make test`` its examples are the same each time; ``make deep`` draws new ones (``unit/sync/examples.py``).
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.unit.sync.examples import MANY

settings.register_profile(
    "tomoshibi", deadline=None, derandomize=not MANY, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tomoshibi")
