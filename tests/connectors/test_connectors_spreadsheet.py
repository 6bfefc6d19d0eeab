"""CSV from French and English spreadsheet programs: encodings, columns, words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connectors.spreadsheet import Spreadsheet
from tests.connectors.tables import CELLS, HEADER, LEAST, table, with_column


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_export_of_any_spreadsheet_program_is_read(
    write: Any, read: Any, encoding: str, delimiter: str, ending: str
) -> None:
    content = table(HEADER, CELLS, delimiter=delimiter, ending=ending).encode(encoding)
    (row,), rejected = read(Spreadsheet(), write(content))
    assert rejected == []
    assert row.data == LEAST
    assert (row.number, row.key, row.type) == (2, "S-1", "hub.service.published.v1")


def test_comma_in_a_header_does_not_make_commas_the_delimiter(write: Any, read: Any) -> None:
    text = table([*HEADER, "Notes, divers, internes, privées, autres"], [*CELLS, "x"])
    rows, _ = read(Spreadsheet(), write(text))
    assert rows[0].data == LEAST


@pytest.mark.parametrize(
    "name", ["référence", "REFERENCE", " Réference ", "Re\u0301fe\u0301rence", "Reference"]
)
def test_names_of_columns_are_compared_without_accents_case_and_spacing(
    write: Any, read: Any, name: str
) -> None:
    rows, rejected = read(Spreadsheet(), write(table([name, *HEADER[1:]], CELLS)))
    assert rejected == []
    assert rows[0].key == "S-1"


def test_english_file_gives_english_texts(write: Any, read: Any) -> None:
    header = ["Reference", "Name", "Description", "Service type", "Required documents", "Cost"]
    cells = ["S-1", "Clinic", "An hour.", "coaching", "Accounts", "1,250.00 GBP"]
    rows, rejected = read(Spreadsheet(), write(table(header, cells, delimiter=",")))
    assert rejected == []
    assert rows[0].data == {
        "own_id": "S-1",
        "name": {"en": "Clinic"},
        "description": {"en": "An hour."},
        "service_type": "coaching",
        "required_documents": [{"document": {"en": "Accounts"}}],
        "cost_options": [{"option": {"en": "Fee"}, "amount": "1250.00", "currency": "GBP"}],
    }


def test_column_in_another_language_adds_a_translation(write: Any, read: Any) -> None:
    text = table(
        [*HEADER, "Intitulé (en)", "Description (de)"], [*CELLS, "Export workshop", "Ein Tag in Caen."]
    )
    rows, rejected = read(Spreadsheet(), write(text))
    assert rejected == []
    assert rows[0].data["name"] == {"fr": "Atelier export", "en": "Export workshop"}
    assert rows[0].data["description"] == {"fr": "Une journée à Caen.", "de": "Ein Tag in Caen."}


@pytest.mark.parametrize(
    ("column", "cell", "member", "value"),
    [
        ("Statut", "Fermé temporairement", "status", "temporarily-closed"),
        ("Étape du parcours", "Choix des marchés", "pathway_step", "market-selection"),
        ("Mode", "Présentiel", "delivery", "physical"),
        ("Portée", "Européen", "reach", "european"),
        ("Sens des échanges", "Exportation, import", "trade", ["export", "import"]),
        (
            "Secteurs (NACE)",
            "62.10; C",
            "sectors",
            [{"scheme": "nace-2.1", "code": c} for c in ("62.10", "C")],
        ),
        ("Produits (SH)", "0406|220600", "products", ["0406", "220600"]),
        ("Pays cibles", "Allemagne, PL, États-Unis, Germany", "target_countries", ["DE", "PL", "US"]),
        ("Territoires", "FRD, FR-14", "service_areas", ["FRD", "FR-14"]),
        ("Langues", "français, anglais, nl-BE", "languages", ["fr", "en", "nl-BE"]),
        ("Taille des entreprises", "PME, ETI", "audience", {"sizes": ["micro", "small", "medium", "large"]}),
        ("Expérience export", "Aucune, Régulière", "audience", {"experience": ["none", "regular"]}),
        ("Canaux", "En ligne, téléphone", "channels", ["online", "phone"]),
        ("Site web", "https://a.example/", "url", "https://a.example/"),
        ("Courriel", "a@b.example", "email", "a@b.example"),
        ("Délai", "10 jours", "processing_time", "P10D"),
        ("Délai", "2 semaines", "processing_time", "P2W"),
        ("Délai", "P1M", "processing_time", "P1M"),
        ("Capacité", "12/20", "capacity", {"status": "capacity", "available": 12, "maximum": 20}),
        ("Capacité", "0/20", "capacity", {"status": "no-capacity", "available": 0, "maximum": 20}),
        ("Capacité", "20", "capacity", {"status": "capacity", "maximum": 20}),
        ("Capacité", "Liste d’attente", "capacity", {"status": "waitlist"}),
        ("Date de fin", "31/12/2026", "valid_to", "2026-12-31"),
        ("Date de fin", "1.2.2027", "valid_to", "2027-02-01"),
        ("Date de début", "2026-12-31", "valid_from", "2026-12-31"),
        ("Instruments", "selep-esif, sie", "policy_tags", ["selep-esif", "sie"]),
        ("Programme", "Xport", "programme", "Xport"),
        ("Organisme", "CCI Normandie", "organization", {"name": "CCI Normandie"}),
    ],
)
def test_cell_becomes_the_value_of_its_member(
    write: Any, read: Any, column: str, cell: str, member: str, value: Any
) -> None:
    rows, rejected = read(Spreadsheet(), write(with_column(column, cell)))
    assert rejected == []
    assert rows[0].data[member] == value


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("gratuit", "0.00", "EUR"),
        ("Gratuit", "0.00", "EUR"),
        ("0", "0.00", "EUR"),
        ("75 000,00 EUR", "75000.00", "EUR"),
        ("75\u202f000,00\u00a0€", "75000.00", "EUR"),
        ("1 234 567,8 £", "1234567.80", "GBP"),
        ("75,000.00 eur", "75000.00", "EUR"),
        ("75.000,00 EUR", "75000.00", "EUR"),
        ("1,234,567 EUR", "1234567.00", "EUR"),
        ("120 EUR", "120.00", "EUR"),
    ],
)
def test_price_is_read_in_french_and_english_notation(
    write: Any, read: Any, cell: str, amount: str, currency: str
) -> None:
    rows, rejected = read(Spreadsheet(), write(with_column("Coût", cell)))
    assert rejected == []
    assert rows[0].data["cost_options"] == [
        {"option": {"fr": "Participation"}, "amount": amount, "currency": currency}
    ]


def test_eligibility_columns_must_all_hold_and_explain_themselves(write: Any, read: Any) -> None:
    columns = [
        "Pays de l'entreprise",
        "Effectif maximal",
        "Chiffre d'affaires maximal (EUR)",
        "Produit propre",
    ]
    text = table([*HEADER, *columns], [*CELLS, "France", "249", "50 000 000", "oui"])
    rows, rejected = read(Spreadsheet(), write(text))
    assert rejected == []
    assert rows[0].data["eligibility"] == {
        "all": [
            {"fact": "country", "in": ["FR"], "text": {"fr": columns[0]}},
            {"fact": "employees", "at_most": 249, "text": {"fr": columns[1]}},
            {"fact": "turnover_eur", "at_most": 50_000_000, "text": {"fr": columns[2]}},
            {"fact": "own_product_line", "equals": True, "text": {"fr": columns[3]}},
        ]
    }


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://evil.example")', "+33 2 31", "-2+3", "@SUM(A1)", "=1+1"]
)
def test_formula_is_only_text(write: Any, read: Any, text: str) -> None:
    cells = [CELLS[0], text, *CELLS[2:]]
    rows, rejected = read(Spreadsheet(), write(table(HEADER, cells)))
    assert rejected == []
    assert rows[0].data["name"] == {"fr": text}
