"""Two hubs that differ only in what two partners keep between them, and all that a third one can ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
)
from hypothesis import strategies as st

from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from hub.events.rejection import Rejected
from hub.graphql.schema import schema_for
from hub.store.opening import open_store
from hub.store.schema import prepare_read_model
from tests.graphql.cases.world import (
    KENT_SERVICE,
    NORMANDY_SERVICE,
    NORTH,
    SOUTH,
    Event,
    World,
    consented,
    event,
    firm_id,
    partner,
    registered,
    requested,
    uuid,
)

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(one) for one in ("kent", "normandy", "friesland", "molise"))
DEPTH = 3
MASKED = {"leafHash", "leaf_hash", "salt", "hashes", "checkpoint"}
"""Drawn at random or signed: they differ between any two hubs, and say nothing of an entry."""
REASON = {"code": "other", "party": "client", "text": "Their own words"}


@dataclass(frozen=True, slots=True)
class Secret:
    """What Kent and Normandy keep between them. events: as many in each world, of the same senders."""

    number: str
    events: list[tuple[Principal, Event]] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Ids that are guessed at."""
        return [firm_id(self.number), uuid("case", self.number), uuid("consent", self.number)]


def accepted_case(number: str) -> Secret:
    """Kent asks Normandy, which takes the firm on."""
    case = uuid("case", number)
    return Secret(
        number,
        [
            (KENT, registered(number)),
            (KENT, consented(number, "normandy")),
            (KENT, requested(number, case, to="normandy", service_id=NORMANDY_SERVICE)),
            (NORMANDY, event("referral.accepted", case)),
            (NORMANDY, event("referral.started", case)),
        ],
    )


def other_case(number: str) -> Secret:
    """Kent drafts about another firm and drops it; the last events are refused."""
    case = uuid("case", number)
    return Secret(
        number,
        [
            (KENT, registered(number, name="Quite another name", contacts=[])),
            (KENT, consented(number, "normandy", categories=["identity"])),
            (KENT, requested(number, case, what="drafted", to="normandy", service_id=KENT_SERVICE)),
            (NORMANDY, event("referral.rejected", case, reason=REASON)),
            (NORMANDY, event("referral.received", uuid("nothing"))),
        ],
    )


SECRETS = accepted_case("SECRET1"), other_case("SECRET2")


async def open_world(folder: Path, secret: Secret, database_url: str) -> World:
    """A hub with the secret, and cases that Friesland and Molise are parties to in both worlds.

    database_url: of an empty PostgreSQL; empty for SQLite in the folder.
    """
    store = open_store(folder, database_url)
    await prepare_read_model(store, anew=True)
    world = World(folder, store)
    await world.open()
    await world.post(MOLISE, registered("M"), consented("M", "friesland"))
    await world.post(FRIESLAND, registered("F"), consented("F", "kent", f"network:{NORTH}"))
    await world.post(FRIESLAND, requested("F", uuid("ours"), to="kent", service_id=KENT_SERVICE))
    for sender, one in secret.events:
        await world.post(sender, one)
    await world.post(KENT, event("referral.accepted", uuid("ours")))
    return world


def masked(answer: Any) -> Any:
    """The answer without what is random in any hub."""
    if isinstance(answer, Mapping):
        return {name: "…" if name in MASKED and value else masked(value) for name, value in answer.items()}
    return [masked(one) for one in answer] if isinstance(answer, list) else answer


async def post(world: World, sender: Principal, message: Event) -> Any:
    """All that its sender learns of an event: the refusal, or the receipt with its verdict."""
    try:
        (seq,) = await world.post(sender, message)
    except (AssertionError, Rejected) as refused:
        return ["refused", str(refused)]
    return masked((await world.receipt(sender, seq)).json())


PARTNER_SCHEMA = schema_for(Audience.PARTNER)._schema
IDS = [
    *SECRETS[0].names,
    *SECRETS[1].names,
    *(uuid(one) for one in ("ours", "nothing")),
    *(firm_id(one) for one in ("F", "M")),
    KENT_SERVICE,
]
VALUES: dict[str, list[Any]] = {
    "id": IDS,
    "sme": IDS,
    "service": [KENT_SERVICE, NORMANDY_SERVICE, *IDS[:2]],
    "seq": list(range(1, 24)),
    "search": ["SECRET1", "another", "firm", "Quite", "export"],
    "partner": [["kent"], ["normandy"], ["friesland", "kent"]],
    "network": [[NORTH], [SOUTH]],
    "slug": ["kent", "normandy", "nobody"],
    "name": ["countries", "outcomes", "nothing"],
    "first": [1, 2, 3],
    "language": ["en", "fr"],
    "updatedAfter": ["2026-11-01T09:00:20Z", "2027-01-01T00:00:00Z"],
}


@st.composite
def selections(draw: st.DrawFn, kind: GraphQLNamedType, depth: int) -> str:
    """Every plain field of the type, and some that lead on, down to the depth."""
    assert isinstance(kind, GraphQLObjectType)
    plain, leading = [], []
    for name, one in kind.fields.items():
        if any(isinstance(argument.type, GraphQLNonNull) for argument in one.args.values()):
            continue
        is_object = isinstance(get_named_type(one.type), GraphQLObjectType)
        (leading if is_object else plain).append(name)
    on = draw(st.lists(st.sampled_from(leading), unique=True, max_size=2)) if leading and depth else []
    if not plain and not on:
        on = leading[:1]
    deeper = [f"{name} {draw(selections(get_named_type(kind.fields[name].type), depth - 1))}" for name in on]
    return "{ " + " ".join([*plain, *deeper]) + " }"


def _values(name: str, kind: Any, cursors: list[str]) -> st.SearchStrategy[Any]:
    """Values of an argument or of a member of a filter, as variables carry them."""
    named = get_named_type(kind)
    if name == "after":
        return st.sampled_from([None, *cursors])
    if isinstance(named, GraphQLInputObjectType):
        members = {member: _values(member, one.type, cursors) for member, one in named.fields.items()}
        return st.fixed_dictionaries({}, optional=members)
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(named, GraphQLEnumType):
        one_value = st.sampled_from(sorted(named.values))
        return st.lists(one_value, max_size=2) if isinstance(inner, GraphQLList) else one_value
    if name in VALUES:
        given = VALUES[name]
        single = not isinstance(inner, GraphQLList)
        return st.sampled_from([one[0] if single and isinstance(one, list) else one for one in given])
    assert isinstance(named, GraphQLScalarType)
    if named.name == "Boolean":
        return st.booleans()
    return st.lists(st.sampled_from(["GB", "62", "en"]), max_size=1)


def questions(cursors: list[str]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """(document, variables): any field of Query, any arguments, whatever can be selected beneath."""
    query = PARTNER_SCHEMA.query_type
    assert query is not None

    def of_field(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        one = query.fields[name]
        given = ", ".join(f"${argument}: {kind.type}" for argument, kind in one.args.items())
        passed = ", ".join(f"{argument}: ${argument}" for argument in one.args)
        head = f"query({given}) {{ {name}({passed})" if given else f"{{ {name}"
        values = {argument: _values(argument, kind.type, cursors) for argument, kind in one.args.items()}
        needed = {name for name, kind in one.args.items() if isinstance(kind.type, GraphQLNonNull)}
        required = {name: value for name, value in values.items() if name in needed}
        optional = {name: value for name, value in values.items() if name not in needed}
        selected = selections(get_named_type(one.type), DEPTH).map(lambda chosen: f"{head} {chosen} }}")
        return st.tuples(selected, st.fixed_dictionaries(required, optional=optional))

    return st.sampled_from(sorted(query.fields)).flatmap(of_field)


def same(left: Any, right: Any) -> None:
    """AssertionError unless the two answers are equal byte for byte, once masked."""
    texts = [json.dumps(masked(one), sort_keys=True, ensure_ascii=False) for one in (left, right)]
    assert texts[0] == texts[1], "the two worlds answer differently:\n" + "\n".join(texts)
