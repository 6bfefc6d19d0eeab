"""Search in the catalogue."""

from __future__ import annotations

import pytest

from tests.graphql.catalogue.world import World, service


@pytest.fixture
async def filled(world: World) -> World:
    """Services in several languages."""
    await world.project(
        service("atelier", name={"fr": "Atelier d’été à l’export"}, description={"fr": "Pour démarrer."}),
        service("smorre", name={"en": "Danish food fair", "da": "Smørrebrød"}),
        service("strasse", name={"de": "Straßenmesse"}),
        service("percent", name={"en": "100% grant_scheme"}, description={"en": "With 50/50 sharing."}),
        service("plain", name={"en": "Another grant"}, description={"en": "Food for thought, 100 ideas."}),
        service("body", organization={"name": "Ústí Region"}, programme="SIE programme"),
    )
    return world


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ATELIER", {"atelier"}),
        ("ete", {"atelier"}),
        ("ÉTÉ atelier", {"atelier"}),
        ("demarrer", {"atelier"}),
        ("smorrebrod", {"smorre"}),
        ("STRASSE", {"strasse"}),
        ("food", {"smorre", "plain"}),
        ("food fair", {"smorre"}),
        ("fair food danish", {"smorre"}),
        ("food grant", {"plain"}),
        ("100%", {"percent"}),
        ("%", {"percent"}),
        ("grant_", {"percent"}),
        ("_", {"percent"}),
        ("50/50", {"percent"}),
        ("usti", {"body"}),
        ("sie", {"body"}),
        ("nothing like that", set()),
        ("'; DROP TABLE service_row; --", set()),
        ("  ", {"atelier", "smorre", "strasse", "percent", "plain", "body"}),
    ],
)
async def test_every_word_must_occur_whatever_its_case_and_accents(
    filled: World, search: str, found: set[str]
) -> None:
    assert set(await filled.found(search=search)) == found


async def test_words_in_names_rank_before_words_elsewhere(world: World) -> None:
    await world.project(
        service("text", name={"en": "A first"}, description={"en": "Grant and fair."}),
        service("one", name={"en": "B grant"}, description={"en": "Also a fair."}),
        service("both", name={"en": "Z grant", "fr": "Z fair"}),
    )
    assert await world.found(search="grant fair") == ["both", "one", "text"]
    assert await world.found(search="grant fair", sort="RELEVANCE") == ["both", "one", "text"]
    assert await world.found(search="grant fair", sort="NAME") == ["text", "one", "both"]


@pytest.mark.parametrize("search", ["x" * 201, " ".join(f"w{n}" for n in range(13))])
async def test_a_search_too_long_is_refused(world: World, search: str) -> None:
    document = "query S($search: String) { services(search: $search) { totalCount } }"
    assert (await world.refused(document, search=search))["code"] == "payload.invalid"
