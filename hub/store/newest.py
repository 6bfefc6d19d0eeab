"""The first rows of a list by some labels: each label's own first rows, found where they begin in an index.

Asked for rows of any of several labels in one order, a database reads and sorts all rows of all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    select,
    true,
    union_all,
)


@dataclass(frozen=True, slots=True)
class Way:
    """Rows that are listed because they carry one of the labels.

    label: column of the label. rows: selects rows, whatever their label. Its columns are what rows are sorted
    by, falling, in the order in which an index has them after the label, and then what names a row.
    """

    label: ColumnElement[str]
    labels: Collection[str]
    rows: Select[Any]


def newest(conn: Connection, ways: Sequence[Way], most: int) -> list[tuple[Any, ...]]:
    """The first rows by any of the ways, each once."""
    asked = [way for way in ways if way.labels]
    if conn.dialect.name != "postgresql":
        # No LATERAL there, and no distance either that many statements would have to go.
        label = bindparam("label", type_=Text())
        found = {
            tuple(row)
            for way in asked
            for one in sorted(way.labels)
            for row in conn.execute(_first(way.rows.where(way.label == label), most), {"label": one})
        }
        return sorted(found, reverse=True)[:most]
    if not asked:
        return []
    rows = union_all(*(_of_each(number, way, most) for number, way in enumerate(asked))).subquery()
    return [tuple(row) for row in conn.execute(_first(select(rows).distinct(), most))]


def _of_each(number: int, way: Way, most: int) -> Select[Any]:
    """The first rows of each label of a way."""
    labels = bindparam(f"labels_{number}", sorted(way.labels), type_=ARRAY(Text()))
    given = func.unnest(labels).table_valued("label").render_derived(name=f"given_{number}")
    found = _first(way.rows.where(way.label == given.c.label), most).lateral(f"found_{number}")
    return select(*found.c).select_from(given.join(found, true()))


def _first(rows: Select[Any], most: int) -> Select[Any]:
    return rows.order_by(*(column.desc() for column in rows.selected_columns)).limit(most)
