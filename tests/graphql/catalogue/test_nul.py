"""U+0000 in a document: no text of the hub holds it, and PostgreSQL cannot be asked for it."""

from __future__ import annotations

import pytest

from tests.graphql.catalogue.world import World


@pytest.mark.parametrize(
    "document",
    [
        '{ services(search: "a\\u0000b") { totalCount } }',
        '{ services(search: "a\\u{0}b") { totalCount } }',
        '{ services(filter: {partner: ["\\u0000"]}) { totalCount } }',
        '{ service(id: "\\u0000") { id } }',
        '{ partner(slug: "\\u0000") { slug } }',
        '{ services(after: "\\u0000") { totalCount } }',
        '{ services(search: "half \\uD800 a pair") { totalCount } }',
    ],
)
async def test_it_is_refused_before_the_database_is_asked(world: World, document: str) -> None:
    answer = await world.ask(document)
    assert answer.get("errors"), answer
    assert "internal error" not in str(answer)
    assert answer.get("data") is None
