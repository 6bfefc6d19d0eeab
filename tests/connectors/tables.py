"""A least spreadsheet, for tests that change one thing about it."""

from __future__ import annotations

import csv
import io

HEADER = ["Référence", "Intitulé", "Description", "Type de service"]
CELLS = ["S-1", "Atelier export", "Une journée à Caen.", "atelier"]
LEAST = {
    "own_id": "S-1",
    "name": {"fr": "Atelier export"},
    "description": {"fr": "Une journée à Caen."},
    "service_type": "workshop",
}


def table(*rows: list[str], delimiter: str = ";", ending: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows)
    return text.getvalue()


def with_column(name: str, cell: str) -> str:
    return table([*HEADER, name], [*CELLS, cell])
