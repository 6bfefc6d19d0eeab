"""CSV that cannot be read as it stands: each fault is named, bounded, and costs its own row only."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connectors.feed_file import FEED_BYTES_MAX, ROWS_MAX
from hub.connectors.spreadsheet import CELL_CHARS_MAX, COLUMNS_MAX, Spreadsheet
from tests.connectors.tables import CELLS, HEADER, LEAST, table


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("Statut", "ouvert", '"ouvert" is not known'),
        ("Étape du parcours", "diagnostique", '"diagnostique" is not known'),
        ("Secteurs (NACE)", "99.99", '"99.99": is not a code of nace-2.1'),
        ("Produits (SH)", "040", "Harmonized System"),
        ("Pays cibles", "Allemange", '"Allemange" is not a country'),
        ("Langues", "elfique", '"elfique" is not a language'),
        ("Territoires", "Calvados", "neither a NUTS nor an ISO 3166-2 area"),
        ("Coût", "75,000", "can be read in two ways"),
        ("Coût", "cher", '"cher" is not a price'),
        ("Coût", "120,00", "The currency is missing"),
        ("Coût", "=1+1", "is not a price"),
        ("Coût", "120,00 XXY", '"XXY": is not an ISO 4217 currency'),
        ("Date de fin", "31/02/2026", "a day that does not exist"),
        ("Date de fin", "12/31/2026", "a day that does not exist"),
        ("Date de fin", "fin 2026", '"fin 2026" is not a date'),
        ("Capacité", "21/20", "more places left than there are"),
        ("Capacité", "beaucoup", '"beaucoup" is not known'),
        ("Délai", "bientôt", '"bientôt" is not a duration'),
        ("Site web", "www.a.example", "is not an http or https address"),
        ("Courriel", "a(at)b.example", "is not an e-mail address"),
        ("Effectif maximal", "249,5", "is not a whole number"),
        ("Produit propre", "peut-être", "neither yes nor no"),
        ("Instruments", "SELEP ESIF", "is not a slug"),
        ("Conditions financières", "plafond 75000", "is not a claim"),
        (
            "Conditions financières",
            "plafond : beaucoup ; https://a.example/ ; 17/09/2018",
            "not a value with a unit",
        ),
        (
            "Conditions financières",
            "plafond : 75 000,00 EUR ; oral ; 17/09/2018",
            "is not an http or https address",
        ),
        ("Intitulé (en)", "x" * (CELL_CHARS_MAX + 1), f"more than {CELL_CHARS_MAX} characters"),
        ("Pays cibles", "FR," * 600, "more than 500 values"),
        ("SIREN", "451930051", "required and missing"),
    ],
)
def test_bad_cell_is_named_by_its_column_and_row(
    write: Any, read: Any, column: str, cell: str, message: str
) -> None:
    text = table([*HEADER, column], [*CELLS, cell], ["S-2", *CELLS[1:]])
    rows, (rejected,) = read(Spreadsheet(), write(text))
    assert [row.key for row in rows] == ["S-2"], "the next row is read"
    assert (rejected.row, rejected.field) == (2, column)
    assert message in rejected.message
    assert rejected.remedy
    assert rejected.subject
    assert not rejected.unread


def test_unknown_word_names_the_nearest_known(write: Any, read: Any) -> None:
    _, (rejected,) = read(Spreadsheet(), write(table(HEADER, [*CELLS[:3], "subvension"])))
    assert rejected.remedy.startswith("Did you mean subvention?")


def test_every_bad_cell_of_a_row_is_reported(write: Any, read: Any) -> None:
    text = table([*HEADER, "Pays cibles", "Date de fin"], [*CELLS[:3], "fête", "Narnia", "demain"])
    rows, rejected = read(Spreadsheet(), write(text))
    assert rows == []
    assert [entry.field for entry in rejected] == ["Type de service", "Pays cibles", "Date de fin"]


def test_dates_in_the_wrong_order_are_a_fault_of_the_row(write: Any, read: Any) -> None:
    text = table([*HEADER, "Date de début", "Date de fin"], [*CELLS, "02/01/2027", "01/01/2027"])
    rows, (rejected,) = read(Spreadsheet(), write(text))
    assert rows == []
    assert (rejected.field, rejected.message) == ("Date de fin", '"2027-01-01": is before valid_from.')


def test_unknown_column_is_reported_once_and_the_others_are_read(write: Any, read: Any) -> None:
    text = table([*HEADER, "Pays ciblés (liste)"], [*CELLS, "DE"], ["S-2", *CELLS[1:], "FR"])
    rows, (rejected,) = read(Spreadsheet(), write(text))
    assert [row.key for row in rows] == ["S-1", "S-2"]
    assert rows[0].data == LEAST
    assert (rejected.row, rejected.field, rejected.unread) == (1, "Pays ciblés (liste)", False)
    assert "Did you mean Pays cibles?" in rejected.remedy


def test_missing_required_column_reads_no_row(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table(HEADER[:3], CELLS[:3])))
    assert rows == []
    assert (rejected.row, rejected.field, rejected.unread) == (1, "Type de service", True)


def test_column_that_stands_twice_is_read_once(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table([*HEADER, "Service type"], [*CELLS, "grant"])))
    assert rows[0].data["service_type"] == "workshop"
    assert (rejected.row, rejected.field) == (1, "Service type")


def test_second_row_of_one_reference_is_rejected(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table(HEADER, CELLS, CELLS)))
    assert [row.number for row in rows] == [2]
    assert (rejected.row, rejected.field) == (3, "Référence")
    assert rejected.subject == rows[0].subject


def test_row_without_reference_may_hide_any_record(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table(HEADER, ["", *CELLS[1:]])))
    assert rows == []
    assert (rejected.row, rejected.field, rejected.subject, rejected.unread) == (2, "Référence", None, True)


def test_blank_rows_are_counted_and_left_out(write: Any, read: Any) -> None:
    rows, rejected = read(Spreadsheet(), write(table(HEADER, ["", "", "", ""], [], CELLS)))
    assert rejected == []
    assert [row.number for row in rows] == [4]


def test_line_break_in_a_cell_does_not_shift_the_rows(write: Any, read: Any) -> None:
    cells = [*CELLS[:2], "Une journée\nà Caen.", CELLS[3]]
    rows, _ = read(Spreadsheet(), write(table(HEADER, cells, ["S-2", *CELLS[1:]])))
    assert [row.number for row in rows] == [2, 3]
    assert rows[0].data["description"] == {"fr": "Une journée\nà Caen."}


def test_cell_beyond_the_header_is_reported(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table(HEADER, [*CELLS, "", "lost"])))
    assert rows == []
    assert (rejected.row, rejected.field) == (2, "column 6")


def test_quote_that_never_closes_stops_the_file_but_not_the_rows_before(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(table(HEADER, CELLS) + 'S-2;"Sans fin;x;atelier\r\n'))
    assert [row.key for row in rows] == ["S-1"]
    assert (rejected.row, rejected.unread) == (3, True)
    assert rejected.message.startswith("Not CSV from here on")


@pytest.mark.parametrize(
    ("content", "row"),
    [(b"", 1), ("Référence;Intitulé\r\n".encode("utf-16"), 0), (b"\x81\x8d\x8f\xff;", 0), (b'"', 1)],
)
def test_unreadable_file_is_one_rejected(write: Any, read: Any, content: bytes, row: int) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(content))
    assert rows == []
    assert (rejected.row, rejected.unread) == (row, True)
    assert rejected.remedy


def test_header_of_too_many_columns_reads_nothing(write: Any, read: Any) -> None:
    header = [*HEADER, *(f"c{number}" for number in range(COLUMNS_MAX))]
    rows, (rejected,) = read(Spreadsheet(), write(table(header, CELLS)))
    assert rows == []
    assert (rejected.row, rejected.unread) == (1, True)


def test_rows_beyond_the_limit_are_not_read(write: Any, read: Any) -> None:
    text = table(HEADER, *([f"S-{number}", *CELLS[1:]] for number in range(ROWS_MAX + 1)))
    rows, (rejected,) = read(Spreadsheet(), write(text))
    assert len(rows) == ROWS_MAX
    assert (rejected.row, rejected.unread) == (ROWS_MAX + 2, True)
    assert f"more than {ROWS_MAX} rows" in rejected.message


def test_number_of_thousands_of_digits_is_no_number(write: Any, read: Any) -> None:
    text = table([*HEADER, "Effectif maximal"], [*CELLS, "9" * 10_000])
    rows, (rejected,) = read(Spreadsheet(), write(text))
    assert rows == []
    assert (rejected.row, rejected.field) == (2, "Effectif maximal")
    assert len(rejected.message) < 200


def test_cell_beyond_the_limit_of_csv_stops_the_file(write: Any, read: Any) -> None:
    rows, (rejected,) = read(
        Spreadsheet(), write(table(HEADER, CELLS, ["S-2", "x" * 200_000, "d", "atelier"]))
    )
    assert [row.key for row in rows] == ["S-1"]
    assert (rejected.row, rejected.unread) == (3, True)


def test_file_beyond_the_limit_is_not_read(write: Any, read: Any) -> None:
    rows, (rejected,) = read(Spreadsheet(), write(b";" * (FEED_BYTES_MAX + 1)))
    assert rows == []
    assert (rejected.row, rejected.unread) == (0, True)
    assert "larger than 32 MiB" in rejected.message
