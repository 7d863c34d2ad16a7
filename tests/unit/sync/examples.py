"""How many examples Hypothesis tries of a property: few and the same each time in `make test`, many in `make deep`.

`test_many_examples.py` runs the same tests again in a process of its own with ``PROPERTY_EXAMPLES=many``.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

VARIABLE = "PROPERTY_EXAMPLES"
MANY = os.environ.get(VARIABLE) == "many"

# Worlds of replicas are slow to make and their data is large: that is the point of them, not a slip.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


def examples(few: int, many: int, *, steps: int = 50) -> settings:
    """The settings of one property: ``few`` examples that are the same each time, or ``many`` that are new."""
    return settings(
        max_examples=many if MANY else few,
        derandomize=not MANY,
        deadline=None,
        print_blob=True,
        stateful_step_count=steps,
        suppress_health_check=_SLOW,
    )
