"""Service.eligibility: the verdict on a firm's facts, and every clause in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphql.catalogue.world import World, service

TREE = {
    "all": [
        {"fact": "size", "in": ["micro", "small"]},
        {
            "any": [
                {"fact": "employees", "at_most": 249},
                {
                    "fact": "turnover_eur",
                    "at_least": 50000.5,
                    "text": {"fr": "Assez vendu", "en": "Sold enough"},
                },
            ]
        },
        {"not": {"fact": "country", "in": ["FR"], "text": "Not from France"}},
    ]
}
ASK = """query Ask($facts: FirmFacts!, $language: String) { services { nodes {
  eligibility(facts: $facts) { verdict clauses { verdict fact text(language: $language) } }
} } }"""


async def _eligibility(world: World, facts: dict[str, Any], language: str | None = None) -> Any:
    data = await world.data(ASK, {"facts": facts, "language": language})
    return data["services"]["nodes"][0]["eligibility"]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"size": "MICRO", "employees": 10, "country": "GB"}, "ELIGIBLE"),
        ({"size": "MICRO", "turnoverEur": "50000.5", "country": "GB"}, "ELIGIBLE"),
        ({"size": "MICRO", "employees": 250, "turnoverEur": "50000.4", "country": "GB"}, "NOT_ELIGIBLE"),
        ({"size": "LARGE"}, "NOT_ELIGIBLE"),
        ({"country": "FR"}, "NOT_ELIGIBLE"),
        ({}, "UNKNOWN"),
        ({"size": None, "employees": None}, "UNKNOWN"),
        ({"size": "MICRO", "country": "GB", "employees": 250}, "UNKNOWN"),
    ],
)
async def test_verdict_follows_from_the_facts(world: World, facts: dict[str, Any], verdict: str) -> None:
    await world.project(service("one", eligibility=TREE))
    assert (await _eligibility(world, facts))["verdict"] == verdict


async def test_a_service_without_conditions_is_open_to_all(world: World) -> None:
    await world.project(service("one"))
    assert await _eligibility(world, {}) == {"verdict": "ELIGIBLE", "clauses": []}


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            None,
            ["Size of the firm: Micro or Small", "Employees: at most 249", "Sold enough", "Not from France"],
        ),
        (
            "fr",
            [
                "Taille de l’entreprise: Micro ou Petite",
                "Salariés: au plus 249",
                "Assez vendu",
                "Not from France",
            ],
        ),
        (
            "nl-BE",
            [
                "Grootte van het bedrijf: Micro of Klein",
                "Werknemers: ten hoogste 249",
                "Sold enough",
                "Not from France",
            ],
        ),
        (
            "es",
            [
                "Tamaño de la empresa: Microempresa o Pequeña",
                "Empleados: como máximo 249",
                "Sold enough",
                "Not from France",
            ],
        ),
        (
            "pl",
            ["Size of the firm: Micro or Small", "Employees: at most 249", "Sold enough", "Not from France"],
        ),
    ],
)
async def test_clauses_are_said_in_the_publishers_words_or_in_ours(
    world: World, language: str | None, texts: list[str]
) -> None:
    await world.project(service("one", eligibility=TREE))
    clauses = (await _eligibility(world, {"size": "MICRO"}, language))["clauses"]
    assert [clause["text"] for clause in clauses] == texts
    assert [clause["fact"] for clause in clauses] == ["size", "employees", "turnover_eur", "country"]
    assert [clause["verdict"] for clause in clauses] == ["ELIGIBLE", "UNKNOWN", "UNKNOWN", "UNKNOWN"]


@pytest.mark.parametrize(
    ("clause", "facts", "text"),
    [
        (
            {"fact": "country", "in": ["FR", "DE", "GB"]},
            {"country": "DE"},
            "Country of the firm: France, Germany or United Kingdom",
        ),
        ({"fact": "area", "equals": "UKJ4"}, {"area": "UKJ41"}, "Area of the firm: UKJ4"),
        ({"fact": "sectors", "in": ["62"]}, {"sectors": ["10.11", "62.10"]}, "Sector (NACE): 62"),
        (
            {"fact": "experience", "equals": "none"},
            {"experience": "NONE"},
            "Export experience: No export yet",
        ),
        ({"fact": "own_product_line", "equals": True}, {"ownProductLine": True}, "Own product line: yes"),
        ({"fact": "own_product_line", "equals": False}, {"ownProductLine": False}, "Own product line: no"),
        (
            {"fact": "turnover_eur", "at_least": 1000},
            {"turnoverEur": "1000.00"},
            "Turnover in euros: at least 1000",
        ),
    ],
)
async def test_each_fact_is_tested_and_named(
    world: World, clause: dict[str, Any], facts: dict[str, Any], text: str
) -> None:
    await world.project(service("one", eligibility=clause))
    name = clause["fact"]
    assert await _eligibility(world, facts) == {
        "verdict": "ELIGIBLE",
        "clauses": [{"verdict": "ELIGIBLE", "fact": name, "text": text}],
    }


@pytest.mark.parametrize("turnover", ["NaN", "1e9", "Infinity", "", "1,5", 5, 1.5, True])
async def test_a_turnover_that_is_no_exact_amount_is_refused(world: World, turnover: object) -> None:
    answer = await world.ask(ASK, {"facts": {"turnoverEur": turnover}})
    assert "data" not in answer
    assert "turnoverEur" in answer["errors"][0]["message"]
