"""Incidents opened twice are one: no query of an incident goes past ``app/queries/joins.py``.

What is asked through ``row.select``, ``row.page`` and ``row.count`` (``Where().also("incident_id = ?", …)``) is covered
there. SQL of one's own is asked with ``joins.ask(db, sql, values)``, or with what ``joins.covering`` makes of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPARED = re.compile(r"""\bincident(_id)?"? +(=|<>|!=|IN\b|IS\b)""")
WRITTEN_FOR = re.compile(r"\bincident(_id)? = \?")
# The rooms below queries write tables and are asked for one scope; `joins` and `shell.of_incident` are the door itself.
BELOW = ("app/store/", "app/bench/", "app/translations/", "app/queries/joins.py")
DOORS = {"app/views/shell.py": "of_incident"}
HOW = (
    "asks for one incident and would leave out what is joined with it: use joins.ask(db, sql, values) of"
    " app/queries/joins.py for SQL with `incident_id = ?`"
)
IN_PYTHON = (
    "compares a record's incident by itself: use joins.covers(db, incident_id, record), or in a view"
    " shell.of_incident(incident, record)"
)


def faults_of(text: str, path: str = "") -> list[str]:
    """What in a module asks for one incident only, with the line."""
    tree = ast.parse(text)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    constants = _constants(tree)
    found = []
    for node in ast.walk(tree):
        fault = None
        if isinstance(node, ast.Constant) and _is_query(node, parents) and not _names_a_constant(node, parents):
            fault = None if _is_covered(node, parents) else HOW
            if fault is None and COMPARED.search(node.value) and not WRITTEN_FOR.search(node.value):
                fault = "compares the incident in a way that joins.covering does not know: write `incident_id = ?`"
        elif isinstance(node, ast.Name) and node.id in constants and isinstance(node.ctx, ast.Load):
            fault = None if _is_covered(node, parents) else HOW
        elif (
            isinstance(node, ast.Compare) and _compares_incidents(node) and _function(node, parents) != DOORS.get(path)
        ):
            fault = IN_PYTHON
        if fault:
            found.append(f"{path}:{node.lineno} {fault}")
    return found


def _is_query(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> bool:
    is_text = isinstance(node.value, str) and not isinstance(parents.get(node), ast.Expr)
    return is_text and COMPARED.search(node.value) is not None


def _constants(tree: ast.Module) -> set[str]:
    """Names of a module whose text compares the incident."""
    named = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(part, ast.Constant) and isinstance(part.value, str) and COMPARED.search(part.value)
            for part in ast.walk(statement.value)
        ):
            named |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return named


def _names_a_constant(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """It is judged where the name of the constant is used."""
    return not any(isinstance(outer, ast.FunctionDef | ast.Lambda) for outer in _outward(node, parents))


def _is_covered(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    for outer in _outward(node, parents):
        if isinstance(outer, ast.Call) and isinstance(outer.func, ast.Attribute | ast.Name):
            name = _called(outer)
            if name in ("also", "ask", "covering"):
                return True
            if name == "execute":
                return False
        if isinstance(outer, ast.FunctionDef):
            return any(isinstance(n, ast.Call) and _called(n) in ("ask", "covering") for n in ast.walk(outer))
    return False


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _compares_incidents(node: ast.Compare) -> bool:
    if not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return False
    sides = [node.left, *node.comparators]
    said = any(isinstance(side, ast.Attribute) and side.attr == "incident_id" for side in sides)
    return said and not any(isinstance(side, ast.Constant) and side.value is None for side in sides)


def _function(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str | None:
    return next((outer.name for outer in _outward(node, parents) if isinstance(outer, ast.FunctionDef)), None)


def _outward(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in parents:
        node = parents[node]
        yield node


def test_every_query_of_an_incident_covers_what_is_joined_with_it() -> None:
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(BELOW):
            found += faults_of(path.read_text("utf-8"), place)
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'def f(db): return db.execute("SELECT 1 FROM x WHERE incident_id = ?", ("a",))',
        'def f(db):\n    sql = f"SELECT 1 FROM x WHERE incident_id = ? AND {1}"\n    return db.execute(sql, ("a",))',
        'SQL = "SELECT 1 FROM x WHERE incident = ?"\ndef f(db): return db.execute(SQL, ("a",))',
        'def f(db): return joins.ask(db, "SELECT 1 FROM x WHERE incident_id IN (?, ?)", ("a", "b"))',
        "def f(record, incident): return record.incident_id == incident.id",
        "def f(record, incident): return record is None or record.incident_id != str(incident)",
    ],
)
def test_a_query_that_goes_past_the_joins_is_refused(planted: str) -> None:
    assert len(faults_of(planted)) == 1


@pytest.mark.parametrize(
    "honest",
    [
        'def f(db): return joins.ask(db, "SELECT 1 FROM x WHERE incident_id = ?", ("a",))',
        'def f(db):\n    sql = "SELECT 1 WHERE incident = ?"\n    return db.execute(*joins.covering(db, sql, "a"))',
        'ONE = "SELECT id FROM x WHERE incident_id = ?"\ndef f(w): return w.also("+incident_id = ?", 1).also(ONE, 1)',
        'def f(db): return db.execute("SELECT incident_id, count(*) FROM x GROUP BY incident_id")',
        "def f(record): return record.incident_id is None",
    ],
)
def test_what_is_covered_is_let_through(honest: str) -> None:
    assert faults_of(honest) == []
