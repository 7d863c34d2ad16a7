"""Tables for spreadsheets, CSV and XLSX, in which nothing that somebody wrote ever becomes a formula. Pure.

Before: ``queries/exports`` gives the rows. An XLSX is written here, cell by cell, as text or number: it has no other
kind of cell, and nothing of it lies on the disk in clear, as the temporary files of a library would.
"""

from __future__ import annotations

import io
import itertools
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

BOM = "\ufeff"  # without it Excel in Japan takes UTF-8 for Shift_JIS
FORMULA_STARTS = frozenset("=+-@|%")
CONTROL_STARTS = frozenset("\t\r\n\x00\x0b\x0c")
CELL_CHARS_MAX = 32_000  # a spreadsheet's own limit is 32,767
SHEET_ROWS_MAX = 1_048_576
WRITTEN_AT_ONCE = 200  # rows
ZIP_LEVEL = 2  # the file is half as large again as at 6, and made in two thirds of the time
KNOWN_MAX = 5_000  # texts of cells that are kept while a sheet is written
Cell = str | int | float | None

_NEVER_SEEN = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me", "Cn", "Co", "Cs"}
_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"[ -%'-;=?-^`-~\u00a0-\ud7ff\ue000-\ufffd]*")  # nothing of it means anything to XML
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # what a spreadsheet would read as an escaped character


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Line by line, every text in quotes, with what could be a formula behind an apostrophe."""
    yield BOM + _csv_line(header)
    for row in rows:
        yield _csv_line(row)


def xlsx(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet, with text and numbers only."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=ZIP_LEVEL) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"{_XML}<worksheet {_MAIN}>{_HEAD_STAYS}<sheetData>".encode())
            lines = iter(_xlsx_rows((header, *rows)))
            while packet := "".join(itertools.islice(lines, WRITTEN_AT_ONCE)):
                sheet.write(packet.encode())
            sheet.write(f"</sheetData>{_ON_PAPER}</worksheet>".encode())
    return packed.getvalue()


def harmless(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet could take it for a formula.

    Spreadsheets skip what cannot be seen and, in Japan, read full-width signs as the plain ones: so the first sign
    that can be seen counts, in its plain form.
    """
    if text[:1] in CONTROL_STARTS:
        return f"'{text}"
    for char in text:
        plain = unicodedata.normalize("NFKC", char)[:1]
        if unicodedata.category(plain) not in _NEVER_SEEN:
            return f"'{text}" if plain in FORMULA_STARTS or plain == "−" else text
    return text


def _csv_line(row: Sequence[Cell]) -> str:
    return ",".join(map(_csv_cell, row)) + "\r\n"


def _csv_cell(value: Cell) -> str:
    if not isinstance(value, str):
        return _number(value)
    text = harmless(value[:CELL_CHARS_MAX])
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    return '"' + text.replace('"', '""') + '"'


def _xlsx_rows(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Words of a table come again and again: two cells of three are known already."""
    known: dict[str, str] = {}
    for row in rows:
        cells = []
        for value in row:
            if not isinstance(value, str):
                cells.append(_xlsx_number(value))
                continue
            cell = known.get(value)
            if cell is None:
                cell = _xlsx_text(value)
                if len(known) < KNOWN_MAX:
                    known[value] = cell
            cells.append(cell)
        yield f"<row>{''.join(cells)}</row>"


def _xlsx_number(value: int | float | None) -> str:
    number = "" if value is None else _number(value)
    return f"<c><v>{number}</v></c>" if number else "<c/>"


def _xlsx_text(value: str) -> str:
    if _PLAIN.fullmatch(value) and len(value) <= CELL_CHARS_MAX:
        return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    text = _NOT_XML.sub("\ufffd", value[:CELL_CHARS_MAX].replace("\r\n", "\n").replace("\r", "\n"))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_ESCAPED.sub("_x005F_", text))}</t></is></c>'


def _number(value: int | float | None) -> str:
    """Nothing for what is unknown; an infinity is no number that a cell can hold."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return ""
    return repr(value)


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/"
_MAIN = f'xmlns="{_OFFICE}spreadsheetml/2006/main"'
_RELATION = f"{_OFFICE}officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_PACKAGE = "application/vnd.openxmlformats-package.relationships+xml"
# The heading stays in sight and stands on every sheet of paper: A4, sideways, as wide as the page.
_HEAD_STAYS = (
    '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)
_ON_PAPER = '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_OFFICE}package/2006/content-types">'
    f'<Default Extension="rels" ContentType="{_PACKAGE}"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}worksheet+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_OFFICE}package/2006/relationships"><Relationship Id="r1" '
    f'Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook {_MAIN} xmlns:r="{_RELATION}"><sheets>'
    '<sheet name="Tomoshibi" sheetId="1" r:id="r1"/></sheets><definedNames><definedName name="_xlnm.Print_Titles" '
    'localSheetId="0">Tomoshibi!$1:$1</definedName></definedNames></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_OFFICE}package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
