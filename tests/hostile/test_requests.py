"""No request makes a node fail: not what schemathesis makes of our own description, not the corpus of hostile ones.

20,000 in `make deep`, of each role; a share of them with each change. Of each: no 5xx, no error in the log, and whoever
was refused has changed nothing.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from app import rates
from app.api import openapi
from app.buckets import Rate
from app.views import login
from tests.hostile import corpus
from tests.hostile.asking import Asker
from tests.house import EVERYBODY, House, built, doors, path_of

SEED = 20_191_012
FEW_CORPUS, FEW_EXAMPLES = 500, 1
MANY_CORPUS, MANY_EXAMPLES, MANY = 17_000, 30, 20_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BY_TOKEN", "BY_SESSION", "BY_ADDRESS", "UPLOADS"):
            patch.setattr(rates, name, Rate(1_000_000, 1_000))  # what is asked here is asked of the views
        yield from built(tmp_path_factory.mktemp("house"))


def ask_corpus(house: House, count: int) -> Asker:
    rules = [(method, rule) for method, rule, _ in doors(house.app)]
    rules += [(method, path_of(house, rule)) for method, rule in rules]
    with Asker(house) as asker:
        roles = itertools.cycle(EVERYBODY)
        for asked, role in zip(itertools.islice(corpus.requests(rules, SEED), count), roles, strict=False):
            asker.ask(asked, role)
    return asker


def ask_described(house: House, examples: int) -> Asker:
    """Requests made from our own description: right ones, and such as it forbids."""
    described = schemathesis.openapi.from_dict(openapi.document())
    roles = itertools.cycle(EVERYBODY)
    with Asker(house) as asker:
        for result in described.get_all_operations():
            for mode in GenerationMode:
                _ask_operation(asker, result.ok(), mode, examples, roles)
    return asker


def _ask_operation(asker: Asker, operation: Any, mode: GenerationMode, examples: int, roles: Iterator[Any]) -> None:
    @seed(SEED)
    @settings(max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        role = next(roles)
        case.headers = {**(case.headers or {})}
        if role:
            case.headers["Authorization"] = f"Bearer {asker.house.tokens[role]}"
        answer = case.call(app=asker.house.app, base_url="http://127.0.0.1:8400")
        asker.judge(f"{operation.method} {operation.path} {case.body!r:.200} as {role}", answer.status_code)

    with contextlib.suppress(Unsatisfiable):  # where nothing is described, nothing can be wrong
        ask()


def check(asker: Asker) -> None:
    assert asker.faults[:20] == []
    house = asker.house
    assert house.ask("commander", "GET", "/api/v1/status").status_code == 200
    assert {200, 404} < set(asker.answers)


def test_no_request_of_the_hostile_corpus_makes_a_node_fail(house: House) -> None:
    check(ask_corpus(house, FEW_CORPUS))


@pytest.mark.deep
def test_no_request_made_from_the_description_makes_a_node_fail(house: House) -> None:
    check(ask_described(house, FEW_EXAMPLES))


@pytest.mark.deep
@pytest.mark.timeout(1200)
def test_twenty_thousand_requests_of_every_role_make_no_node_fail(house: House) -> None:
    described, hostile = ask_described(house, MANY_EXAMPLES), ask_corpus(house, MANY_CORPUS)
    check(described)
    check(hostile)
    print(f"described {described.asked}: {described.answers}; hostile {hostile.asked}: {hostile.answers}")
    assert described.asked + hostile.asked >= MANY
    assert house.node.store_faults() == []


def test_a_planted_failure_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "_people", lambda: 1 / 0)
    with Asker(house) as asker:
        asker.ask(corpus.Asked("POST", "/login", {"Content-Type": corpus.TYPES[1]}, b"name=x"), None)
    assert asker.faults and asker.faults[0].startswith("500")
