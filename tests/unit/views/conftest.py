"""The web application of a node that is not there: enough for what is answered before any view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from flask.testing import FlaskClient

from app.factory import create_app


def make_application() -> Any:
    node = MagicMock(node_id="ab" * 16, role="hub", enrolled=True)
    node.name, node.keys.data_key, node.settings.serves_tls = "災害対策本部", bytes(32), False
    node.settings.names = "hq.city.example"
    node.clock.return_value = 1_570_881_600_000
    app, _ = create_app(node)
    return app


@pytest.fixture(scope="module")
def application() -> Any:
    return make_application()


@pytest.fixture
def browser(application: Any) -> Iterator[FlaskClient]:
    with application.test_client() as client:
        yield client


@pytest.fixture
def new_application() -> Any:
    """Makes an application of its own for a test that changes something before it is made."""
    return make_application
