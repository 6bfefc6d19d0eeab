"""docs/connectors.md names everything that a connector reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.connectors import CONNECTORS
from hub.connectors.een import FIELDS
from hub.connectors.open_referral.attributes import TAXONOMIES
from hub.connectors.spreadsheet import words
from hub.connectors.spreadsheet.columns import COLUMNS

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
VOCABULARIES = (
    words.SERVICE_TYPES,
    words.STATUSES,
    words.PATHWAY_STEPS,
    words.DELIVERIES,
    words.REACHES,
    words.TRADES,
    words.SIZES,
    words.EXPERIENCES,
    words.CHANNELS,
    words.CAPACITY_STATUSES,
    words.FUNDING_TERMS,
    words.UNITS,
)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_connector_has_a_chapter(connector: object) -> None:
    assert f"\n## `{getattr(connector, 'name', '?')}`\n" in DOCUMENT


def test_every_column_is_documented_with_both_names_and_its_member() -> None:
    for column in COLUMNS:
        rows = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{column.fr}`")]
        assert len(rows) == 1, column.fr
        assert f"| `{column.en}` | `{column.member}` |" in rows[0]


def test_every_word_is_documented_with_its_code() -> None:
    for meanings in VOCABULARIES:
        for word, code in meanings.items():
            assert f"`{word}` → {code}" in DOCUMENT


def test_every_taxonomy_is_documented() -> None:
    documented = [
        line.split("`")[1]
        for line in DOCUMENT.splitlines()
        if line.startswith(("| `hub-", "| `nace-", "| `hs-"))
    ]
    assert sorted(documented) == list(TAXONOMIES)


def test_every_field_of_a_profile_is_documented() -> None:
    for name in FIELDS:
        assert f"`{name}`" in DOCUMENT
