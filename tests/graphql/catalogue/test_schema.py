"""The schema of each audience, against the published contract and the committed file."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)
from graphql.utilities.print_schema import print_input_value

from hub.domain import opportunities, referrals, services, values
from hub.domain.principal import ANYONE
from hub.domain.scopes import Audience
from hub.graphql import eligibility, service_filter
from hub.graphql import opportunities as opportunity_types
from hub.graphql.declared import MEMBERS
from hub.graphql.schema import full_schema, schema_for
from tests.graphql.catalogue.world import MANAGER, PARTNER, World

ROOT = Path(__file__).resolve().parents[3]
CONTRACT = build_schema(
    (Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8"), assume_valid=True
)

# What the contract promises for later, with what it comes with.
ABSENT = {
    "Query.matches": "comes with the search for duplicates",
    "Query.reports": "comes with reports",
    "Query.report": "comes with reports",
    "ServiceConnection.facets": "comes with facets",
    "OpportunityConnection.facets": "comes with facets",
    "Facet": "comes with facets",
    "FacetValue": "comes with facets",
    "ReferralFilter.overdue": "comes with deadlines",
    "Referral.dueDates": "comes with deadlines",
    "Sme.dueDates": "comes with deadlines",
    "DueDate": "comes with deadlines",
    "MatchConnection": "comes with the search for duplicates",
    "MatchEdge": "comes with the search for duplicates",
    "Match": "comes with the search for duplicates",
    "Float": "comes with the search for duplicates",
    "ReportInfo": "comes with reports",
    "Report": "comes with reports",
    "Mutation": "comes with mutations",
    "ReferralInput": "comes with mutations",
    "PerformedInput": "comes with mutations",
    "ReasonInput": "comes with mutations",
    "OutcomeInput": "comes with mutations",
    "MoneyInput": "comes with mutations",
    "ReferralResult": "comes with mutations",
    "Subscription": "comes with subscriptions",
    "ServiceChange": "comes with subscriptions",
    "ReferralChange": "comes with subscriptions",
    "LedgerChange": "comes with subscriptions",
}
PUBLIC_FIELDS = {
    "services",
    "service",
    "opportunities",
    "opportunity",
    "networks",
    "partners",
    "partner",
    "vocabulary",
    "me",
}
MEMBER_FIELDS = {"referrals", "referral", "smes", "sme", "roadmap", "ledger", "receipt", "auditLog"}


def _names(schema: GraphQLSchema) -> dict[str, str]:
    """Type by name of all that a client can write: Type, Type.field, Type.field(argument), Enum.VALUE."""
    names: dict[str, str] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        names[name] = type(kind).__name__
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                names[f"{name}.{field_name}"] = str(field.type)
                for argument_name, argument in field.args.items():
                    names[f"{name}.{field_name}({argument_name})"] = print_input_value(
                        argument_name, argument
                    )
        elif isinstance(kind, GraphQLInputObjectType):
            names |= {f"{name}.{field_name}": str(field.type) for field_name, field in kind.fields.items()}
        elif isinstance(kind, GraphQLEnumType):
            names |= {f"{name}.{value}": "value" for value in kind.values}
    return names


def _is_promised_for_later(name: str) -> bool:
    return bool({name, name.split(".")[0], name.split("(")[0]} & set(ABSENT))


def test_the_committed_schema_is_the_one_that_the_code_has() -> None:
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert committed == full_schema(), "write it again: hub schema > schema.graphql"


def test_everything_in_the_contract_is_there_as_it_says_or_listed_as_absent() -> None:
    ours, promised = _names(build_schema(full_schema())), _names(CONTRACT)
    differing = {
        name: (promised[name], ours.get(name))
        for name in promised
        if not _is_promised_for_later(name) and ours.get(name) != promised[name]
    }
    assert differing == {}


def test_what_is_listed_as_absent_is_absent() -> None:
    ours, promised = _names(build_schema(full_schema())), _names(CONTRACT)
    assert set(ABSENT) <= set(promised)
    assert not set(ABSENT) & set(ours)


@pytest.mark.parametrize("audience", Audience)
def test_each_audience_has_its_own_fields(audience: Audience) -> None:
    query = schema_for(audience)._schema.query_type
    assert query is not None
    expected = PUBLIC_FIELDS | MEMBER_FIELDS if audience in MEMBERS else PUBLIC_FIELDS
    assert set(query.fields) == expected


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.PORTAL])
def test_types_that_an_audience_cannot_reach_are_not_in_its_schema(audience: Audience) -> None:
    types = schema_for(audience)._schema.type_map
    assert not [
        name for name in types if name.startswith(("Referral", "Sme", "Ledger", "Receipt", "Roadmap"))
    ]


@pytest.mark.parametrize(
    ("shown", "codes"),
    [
        (service_filter.ServiceType, services.ServiceType),
        (service_filter.ServiceStatus, services.ServiceStatus),
        (service_filter.PathwayStep, services.PathwayStep),
        (service_filter.CapacityStatus, services.CapacityStatus),
        (eligibility.FirmSize, values.Size),
        (eligibility.ExportExperience, values.Experience),
        (opportunity_types.OpportunityType, opportunities.OpportunityType),
    ],
)
def test_enums_show_the_codes_of_the_payloads_in_upper_case(shown: type[Enum], codes: Any) -> None:
    assert {one.value for one in shown} == set(get_args(codes))
    assert all(one.name == one.value.upper().replace("-", "_") for one in shown)


def test_delivery_and_reach_show_the_codes_of_the_payloads() -> None:
    members = services.ServicePublished.model_fields
    for shown, member in ((service_filter.Delivery, "delivery"), (service_filter.Reach, "reach")):
        literal, _none = get_args(members[member].annotation)
        assert {one.value for one in shown} == set(get_args(literal))


def test_referral_states_are_those_of_the_contract() -> None:
    kind = CONTRACT.type_map["ReferralState"]
    assert isinstance(kind, GraphQLEnumType)
    assert {name.lower().replace("_", "-") for name in kind.values} == set(get_args(referrals.ReferralState))


async def test_a_field_of_another_audience_does_not_exist(world: World) -> None:
    answer = await world.ask("{ referrals { totalCount } }", by=ANYONE)
    assert "Cannot query field 'referrals'" in answer["errors"][0]["message"]
    assert "data" not in answer


@pytest.mark.parametrize("by", [PARTNER, MANAGER], ids=lambda by: by.audience.value)
async def test_a_field_whose_scope_is_missing_says_which(world: World, by: Any) -> None:
    bare = type(by)(by.client_id, by.audience, partner=by.partner)
    document = "{ me { audience } ledger { totalCount } }"
    extensions = await world.refused(document, by=bare)
    assert extensions["code"] == "scope.missing"
    assert extensions["remedy"]
    assert "errors" not in await world.ask(document, by=by)
