"""Documents that would cost too much are refused before they do; ordinary ones are not."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse

from hub.domain.scopes import Audience
from hub.graphql import limits
from hub.graphql.documents import REMEMBERED_CHARS_MAX, REMEMBERED_MAX, Documents
from hub.graphql.schema import schema_for
from tests.graphql.catalogue.test_service_fields import EVERYTHING
from tests.graphql.catalogue.world import World

SCHEMA = schema_for(Audience.PUBLIC)._schema


def _fragments(number: int, body: str) -> str:
    spreads = " ".join(f"...F{n}" for n in range(number))
    return f"{{ {spreads} }}" + " ".join(f"fragment F{n} on Query {{ {body} }}" for n in range(number))


def _doubling(levels: int) -> str:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {chain} fragment F{levels} on Query {{ me {{ audience }} }}"


def _nested(levels: int) -> str:
    inner = "slug"
    for level in range(levels):
        inner = f"memberships {{ partner {{ {inner} }} }}" if level else inner
    return f"{{ partners {{ {inner} }} }}"


HOSTILE = {
    "300 overlapping fragments": (_fragments(300, "me { audience }"), "2000 tokens"),
    "many small fragments": (_fragments(31, "__typename"), "fragments 31"),
    "fragments of the same fields": (
        _fragments(30, "services { nodes { id name } } me { audience name } networks { slug name }"),
        "pairs of fields",
    ),
    "fragments that double": (_doubling(20), "fields 2097152"),
    "fragments that spread each other": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "within itself",
    ),
    "one field again and again": ("{" + "me { audience } " * 400 + "}", "pairs of fields"),
    "typename again and again": ("{" + "__typename " * 1_900 + "}", "pairs of fields"),
    "aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(61)) + "}", "aliases 61"),
    "directives": ("{ me { audience " + "@include(if: true) " * 51 + "} }", "directives 51"),
    "directives on the operation": ("query " + "@a " * 51 + "{ __typename }", "directives 51"),
    "depth": (_nested(9), "depth 18"),
    "depth through fragments": (
        "{ partners { ...A } } fragment A on Partner { memberships { partner { memberships { partner { "
        "memberships { partner { ...B } } } } } } } fragment B on Partner { memberships { partner { "
        "memberships { partner { memberships { partner { memberships { partner { slug } } } } } } } } }",
        "depth 16",
    ),
    "brackets": ("{" + "a{" * 5_000 + "}" * 5_000 + "}", "tokens|nested"),
    "tokens": ("{" + "a " * 50_000 + "}", "2000 tokens"),
    "nested input": ("{ services(filter: " + "{a: " * 900 + "1" + "}" * 900 + ") { totalCount } }", "nested"),
    "nested list type": ("query Q($a: " + "[" * 900 + "Int" + "]" * 900 + ") { __typename }", "nested"),
    "pages of pages": (
        "{ services(first: 100) { nodes { partner { memberships { network { members { role } } } } } } }",
        "a cost of",
    ),
    "long lists again and again": (
        "{" + " ".join(f'a{n}: vocabulary(name: "nace-2.1") {{ code label }}' for n in range(20)) + "}",
        "a cost of",
    ),
    "introspection in circles": (
        "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
        "introspection depth",
    ),
    "5,000 digits": ("{ services(first: " + "9" * 5_000 + ") { totalCount } }", "4300 digits"),
    "600 unknown arguments": (
        "{ services(" + " ".join(f"a{n}: 1" for n in range(600)) + ") { totalCount } }",
        "Unknown argument",
    ),
    "empty": ("#", "Unexpected <EOF>"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused_with_a_reason(world: World, name: str) -> None:
    document, reason = HOSTILE[name]
    answer = await world.ask(document)
    assert "data" not in answer
    assert any(part in answer["errors"][0]["message"] for part in reason.split("|")), answer["errors"][0]
    assert len(answer["errors"]) <= 21


async def test_what_breaks_a_limit_gets_a_code_and_a_remedy(world: World) -> None:
    extensions = await world.refused(HOSTILE["aliases"][0])
    assert extensions["code"] == "payload.invalid"
    assert extensions["remedy"]


@pytest.mark.parametrize(
    "document",
    [
        get_introspection_query(),
        get_introspection_query(input_value_deprecation=True, schema_description=True),
        EVERYTHING,
        EVERYTHING.replace("services {", "services(first: 100) {", 1),
        "{" + " ".join(f"a{n}: me {{ audience }}" for n in range(60)) + "}",
        '{ partner(slug: "a") {' + "successor {" * 13 + "slug" + "}" * 13 + "} }",
    ],
)
async def test_an_ordinary_document_passes(world: World, document: str) -> None:
    await world.data(document)


def _cost(document: str, **variables: object) -> int:
    return limits.cost_of(SCHEMA, parse(document), None, variables or None).fields


def test_cost_is_what_the_longest_answer_holds() -> None:
    assert _cost("{ me { audience } }") == 2
    assert _cost("{ services { nodes { id } } }") == 1 + 1 + 20
    assert _cost("{ services(first: 7) { totalCount nodes { id } edges { node { id } } } }") == 1 + 1 + 8 + 15
    assert _cost("{ services(first: 5000) { nodes { id } } }") == 102
    assert _cost("{ partners { slug } }") == 1 + limits.LIST_LENGTHS["Query", "partners"]
    assert _cost("{ ...A ... on Query { me { name } } } fragment A on Query { me { scopes } }") == 4


def test_cost_follows_the_page_length_in_variables() -> None:
    document = "query P($first: Int = 3) { services(first: $first) { nodes { id } } }"
    assert limits.cost_of(SCHEMA, parse(document)) == limits.Cost(102, varies=True)
    assert _cost(document, first=10) == 12
    assert _cost(document, other=1) == 5
    assert _cost(document, first="x") == 22
    assert _cost(document, first=10**30) == 102


async def test_a_page_length_in_variables_counts_as_it_is(world: World) -> None:
    document = """query P($first: Int) { services(first: $first) {
      nodes { partner { memberships { network { slug members { role } } } } }
    } }"""
    await world.data(document, {"first": 5})
    assert "a cost of" in (await world.ask(document, {"first": 100}))["errors"][0]["message"]


def test_documents_are_prepared_once_and_long_ones_not_kept() -> None:
    documents = Documents(SCHEMA)
    assert documents.prepare("{ __typename }") is documents.prepare("{ __typename }")
    long = "{ __typename } #" + "x" * REMEMBERED_CHARS_MAX
    assert documents.prepare(long) is not documents.prepare(long)


def test_the_oldest_document_is_forgotten_first() -> None:
    documents = Documents(SCHEMA)
    first = documents.prepare("{ __typename } # first")
    second = documents.prepare("{ __typename } # second")
    for number in range(REMEMBERED_MAX - 1):
        documents.prepare(f"{{ __typename }} # {number}")
        assert documents.prepare("{ __typename } # first") is first
    assert documents.prepare("{ __typename } # second") is not second
