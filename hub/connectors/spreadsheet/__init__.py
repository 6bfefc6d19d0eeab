"""Spreadsheets: services as CSV, the way French and English spreadsheet programs export it.

Semicolons, commas or tabs; UTF-8 with or without byte order mark, or Windows-1252; one header row.
Columns and words: `columns.py`, `words.py`, docs/connectors.md.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hub.connectors.base import (
    SERVICE_PUBLISHED,
    Draft,
    Rejected,
    Row,
    Unreadable,
    shown,
    without_repeats,
)
from hub.connectors.feed_file import ROWS_MAX, read_bytes
from hub.connectors.spreadsheet.columns import COLUMNS, REQUIRED, Column, Heading, read_cells
from hub.connectors.spreadsheet.words import folded
from hub.domain.codes import is_language, nearest

CELL_CHARS_MAX = 20_000
COLUMNS_MAX = 200
NAME_CHARS_MAX = 100
"""Longer names of columns are not looked up."""

DELIMITERS = (";", ",", "\t")

_WITH_LANGUAGE = re.compile(r"(?P<name>.+?)\s*\((?P<language>[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*")


class Spreadsheet:
    """Connector for CSV files."""

    name = "spreadsheet"

    def read(self, path: Path, partner: str) -> Iterator[Row | Rejected]:
        """Every row of the file; row 1 is the header."""
        content = read_bytes(path)
        if isinstance(content, Rejected):
            yield content
            return
        text = _decoded(content)
        if isinstance(text, Unreadable):
            yield Rejected(0, "", text.message, text.remedy, unread=True)
            return
        delimiter = max(DELIMITERS, key=lambda candidate: _columns_known(text, candidate))
        key_name = _key_name(next(_table(text, delimiter), []))
        yield from without_repeats(_rows(_table(text, delimiter), partner), lambda _number: key_name)


def _decoded(content: bytes) -> str | Unreadable:
    """UTF-8 when it can be that, else Windows-1252, in which nearly any bytes are text."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # UTF-16 passes for Windows-1252, with a NUL beside every letter.
        if "\x00" not in text:
            return text
    return Unreadable(
        "The encoding of the file is not known.", "Save it as CSV in UTF-8, or in Windows-1252 (ANSI)."
    )


def _rows(table: Iterator[list[str] | Unreadable], partner: str) -> Iterator[Row | Rejected]:
    header = next(table, None)
    if header is None or isinstance(header, Unreadable):
        why = header or Unreadable("The file is empty.", "Export it with its header row.")
        yield Rejected(1, "", why.message, why.remedy, unread=True)
        return
    headings, faults = _headings(header)
    yield from faults
    if any(fault.unread for fault in faults):
        return
    for number, line in enumerate(table, start=2):
        if isinstance(line, Unreadable) or number > ROWS_MAX + 1:
            many = Unreadable(f"The file has more than {ROWS_MAX} rows; the rest was not read.", "Split it.")
            stop = line if isinstance(line, Unreadable) else many
            yield Rejected(number, "", stop.message, stop.remedy, unread=True)
            return
        if any(cell.strip() for cell in line):
            yield from _service(number, line, headings, partner)


def _table(text: str, delimiter: str) -> Iterator[list[str] | Unreadable]:
    """Rows of the file; the last is Unreadable when the rest is no CSV, for one a quote never closed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        yield Unreadable(f"Not CSV from here on: {error}.", "Close the quotes, and export the file again.")


def _columns_known(text: str, delimiter: str) -> int:
    header = next(_table(text, delimiter), [])
    if isinstance(header, Unreadable):
        return 0
    return sum(_column_named(name) is not None for name in header[:COLUMNS_MAX])


@cache
def _by_name() -> dict[str, tuple[Column, str | None]]:
    """Column by folded name, and the language that the name is in."""
    found: dict[str, tuple[Column, str | None]] = {}
    for column in COLUMNS:
        # "Description" is one name in both languages: it does not tell the language of the file.
        same = folded(column.fr) == folded(column.en)
        found[folded(column.fr)] = (column, None if same else "fr")
        found[folded(column.en)] = (column, None if same else "en")
    return found


def _key_name(header: list[str] | Unreadable) -> str:
    """Name of the column of references, as the file writes it."""
    for name in [] if isinstance(header, Unreadable) else header[:COLUMNS_MAX]:
        found = _column_named(name)
        if found and found[0].member == "own_id":
            return name.strip()
    return ""


def _column_named(name: str) -> tuple[Column, str | None] | None:
    """The column of that name and the language that the name is in, None when it is in both."""
    if len(name) > NAME_CHARS_MAX:
        return None
    known = _by_name().get(folded(name))
    if known:
        return known
    match = _WITH_LANGUAGE.fullmatch(name)
    column = _by_name().get(folded(match["name"])) if match else None
    if match and column and column[0].localized and is_language(match["language"]):
        return column[0], match["language"]
    return None


def _headings(header: list[str]) -> tuple[list[Heading | None], list[Rejected]]:
    """The column of each place, and what is wrong with the header row."""
    if len(header) > COLUMNS_MAX:
        message = f"The header has {len(header)} columns; at most {COLUMNS_MAX} are read."
        return [], [Rejected(1, "", message, "Export only the columns of docs/connectors.md.", unread=True)]
    named = [_column_named(name) for name in header]
    spoken = [found[1] for found in named if found and not found[0].localized and found[1]]
    # The language of most names is the language of the texts whose own name does not tell it.
    language = "en" if spoken.count("en") > spoken.count("fr") else "fr"
    headings: list[Heading | None] = []
    faults: list[Rejected] = []
    taken: set[tuple[str, str]] = set()
    for name, found in zip(header, named, strict=True):
        heading = _heading(name, found, language) if found else None
        if heading and (heading.column.member, heading.language) in taken:
            message, remedy = "There is such a column already; the first is read.", "Remove one of them."
            faults.append(Rejected(1, name, message, remedy))
            heading = None
        elif heading:
            taken.add((heading.column.member, heading.language))
        elif name.strip():
            faults.append(_unknown(name))
        headings.append(heading)
    faults.extend(_missing({member for member, _ in taken}))
    return headings, faults


def _heading(name: str, found: tuple[Column, str | None], language: str) -> Heading:
    column, own = found
    return Heading(column, name.strip(), (own if column.localized else None) or language)


def _unknown(name: str) -> Rejected:
    names = {folded(label): label for column in COLUMNS for label in (column.fr, column.en)}
    close = nearest(folded(name), names)
    hint = f"Did you mean {names[close]}? " if close else ""
    remedy = f"{hint}Rename or remove the column; docs/connectors.md lists all of them."
    return Rejected(1, name, f"The column {shown(name)} is not known; its cells were not read.", remedy)


def _missing(present: set[str]) -> Iterator[Rejected]:
    for column in COLUMNS:
        if column.member in REQUIRED and column.member not in present:
            message = "The column is required and missing; no row was read."
            yield Rejected(1, column.fr, message, f"Add a column {column.fr} or {column.en}.", unread=True)


def _service(
    number: int, line: list[str], headings: list[Heading | None], partner: str
) -> list[Row | Rejected]:
    draft = Draft(number)
    cells: dict[Heading, str] = {}
    for place, cell in enumerate(line):
        heading = headings[place] if place < len(headings) else None
        if len(cell) > CELL_CHARS_MAX:
            member = heading.column.member.partition(".")[0] if heading else ""
            why = Unreadable(f"The cell has more than {CELL_CHARS_MAX} characters.", "Shorten the text.")
            draft.reject(member, heading.text if heading else f"column {place + 1}", why)
        elif heading and cell.strip():
            cells[heading] = cell.strip()
        elif place >= len(headings) and cell.strip():
            why = Unreadable("There is no header above the cell.", "Quote cells that hold the delimiter.")
            draft.reject("", f"column {place + 1}", why)
    for heading in headings:
        if heading:
            draft.where.setdefault(f"/{heading.column.member}", heading.text)
    read_cells(draft, cells)
    return draft.finish(SERVICE_PUBLISHED, partner)
