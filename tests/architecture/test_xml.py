"""XML comes from strangers: it is read through defusedxml, and the standard library's parsers stay unused."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARSERS = ("xml.dom", "xml.sax", "xml.parsers", "pyexpat", "xmlrpc", "lxml")
HARMLESS = ("xml.sax.saxutils",)  # it writes
TREE = "xml.etree"


def faults_of(text: str) -> list[str]:
    """The parsers that a module imports, and whether it reads trees without the guard."""
    imported = {name for node in ast.walk(ast.parse(text)) for name in _names(node)}
    faults = [name for name in imported if name.startswith(PARSERS) and not name.startswith(HARMLESS)]
    faults += [call for call in ("plistlib.load",) if call in text]
    if any(name.startswith(TREE) for name in imported):
        if not any(name.startswith("defusedxml") for name in imported):
            faults.append(TREE)
        if "XMLPullParser(" in text and "forbid_dtd=True" not in text:
            faults.append("forbid_dtd")
        faults += [call for call in ("fromstring(", "ElementTree.parse(", "iterparse(") if call in text]
    return sorted(faults)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_no_module_reads_xml_past_the_guard() -> None:
    modules = [
        path for room in ("app", "sync", "maps", "desktop", "hazard_data") for path in (ROOT / room).rglob("*.py")
    ]
    assert {path.name: faults for path in modules if (faults := faults_of(path.read_text("utf-8")))} == {}


def test_a_planted_parser_is_found() -> None:
    assert faults_of("import xml.dom.minidom") == ["xml.dom.minidom"]
    assert faults_of("from xml.etree import ElementTree") == [TREE]
    assert faults_of("def f():\n    from lxml import etree") == ["lxml", "lxml.etree"]
    guarded = "from xml.etree import ElementTree\nfrom defusedxml.ElementTree import DefusedXMLParser\n"
    assert faults_of(guarded) == []
    assert faults_of(guarded + "x = ElementTree.XMLPullParser()") == ["forbid_dtd"]
    assert faults_of(guarded + "x = ElementTree.fromstring(y)") == ["fromstring("]
