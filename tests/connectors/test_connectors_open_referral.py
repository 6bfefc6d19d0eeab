"""HSDS services: mapping, the convention for attributes, and what is said about what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.connectors.open_referral import OpenReferral

ID = "ac148810-d857-441c-9679-408f346de14b"


def attribute(taxonomy: str, code: str | None = None, value: Any = None, **term: Any) -> dict[str, Any]:
    about = {"id": ID, "name": code or taxonomy, "description": "", "taxonomy": taxonomy, **term}
    if code is not None:
        about["code"] = code
    return {"id": ID, "taxonomy_term": about} | ({} if value is None else {"value": value})


def service(*attributes: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "name": "Export clinic",
        "description": "One hour with an adviser.",
        "status": "active",
        "attributes": [attribute("hub-service-type", "coaching"), *attributes],
        **members,
    }


LEAST = {
    "own_id": ID,
    "name": {"en": "Export clinic"},
    "description": {"en": "One hour with an adviser."},
    "status": "active",
    "service_type": "coaching",
}


@pytest.mark.parametrize(
    "content",
    [service(), [service()], {"contents": [service()], "last_page": True}],
    ids=["one", "list", "page"],
)
def test_service_list_and_page_are_read_alike(write: Any, read: Any, content: Any) -> None:
    (row,), rejected = read(OpenReferral(), write(content))
    assert rejected == []
    assert row.data == LEAST
    assert (row.number, row.key, row.type) == (1, ID, "hub.service.published.v1")


def test_attributes_fill_what_hsds_has_no_place_for(write: Any, read: Any) -> None:
    found = service(
        attribute("hub-pathway-step", "training"),
        attribute("hub-delivery", "both"),
        attribute("hub-reach", "european"),
        attribute("hub-trade", "export"),
        attribute("hub-trade", "import"),
        attribute("hub-trade", "export"),
        attribute("nace-2.0", "62.01"),
        attribute("nace-2.1", "C"),
        attribute("hs-2022", "0406"),
        attribute("hub-target-country", "DE"),
        attribute("hub-size", "micro"),
        attribute("hub-experience", "indirect"),
        attribute("hub-channel", "online"),
        attribute("hub-policy-tag", "selep-esif"),
        attribute("hub-application-url", value="https://kib.example/apply"),
        attribute("hub-processing-time", value="P10D"),
        attribute("hub-valid-from", value="2026-01-01"),
        attribute("hub-valid-to", value="2026-12-31"),
        attribute("hub-capacity-status", "waitlist"),
        attribute("hub-eligibility", value='{"fact": "employees", "at_most": 249}'),
        attribute("hub-translation", "name", "Exportsprechstunde", language="deu"),
        attribute("openeligibility", "1234"),
    )
    (row,), rejected = read(OpenReferral(), write([found]))
    assert rejected == []
    assert row.data == {
        **LEAST,
        "name": {"en": "Export clinic", "de": "Exportsprechstunde"},
        "pathway_step": "training",
        "delivery": "both",
        "reach": "european",
        "trade": ["export", "import"],
        "sectors": [{"scheme": "nace-2.0", "code": "62.01"}, {"scheme": "nace-2.1", "code": "C"}],
        "products": ["0406"],
        "target_countries": ["DE"],
        "audience": {"sizes": ["micro"], "experience": ["indirect"]},
        "channels": ["online"],
        "policy_tags": ["selep-esif"],
        "application_url": "https://kib.example/apply",
        "processing_time": "P10D",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "capacity": {"status": "waitlist"},
        "eligibility": {"fact": "employees", "at_most": 249},
    }


def test_each_claim_about_a_fund_is_one_attribute(write: Any, read: Any) -> None:
    claims = [
        {"value": value, "unit": "percent", "source": "https://kib.example/", "date": "2018-09-17"}
        for value in ("65", "70")
    ]
    terms = [attribute("hub-funding-term", "max-unpaid-share", json.dumps(claim)) for claim in claims]
    (row,), rejected = read(OpenReferral(), write([service(*terms)]))
    assert rejected == []
    assert row.data["funding_terms"] == [{"term": "max-unpaid-share", **claim} for claim in claims]


def test_nested_objects_of_hsds_become_members(write: Any, read: Any) -> None:
    found = service(
        organization={
            "id": ID,
            "name": "A chamber",
            "organization_identifiers": [
                {
                    "identifier_scheme": "GB-COH",
                    "identifier_type": "Company number",
                    "identifier": "01234567",
                },
                {"identifier_type": "House number", "identifier": "7"},
            ],
        },
        program={"id": ID, "name": "SIE", "description": ""},
        service_areas=[
            {"id": ID, "uri": "http://data.europa.eu/nuts/code/UKJ4"},
            {"id": ID, "extent": "GB-MDW", "extent_type": "text"},
        ],
        languages=[{"id": ID, "code": "eng"}, {"id": ID, "code": "fr"}, {"id": ID, "name": "Polish"}],
        required_documents=[{"id": ID, "document": "Invoice", "uri": "https://kib.example/invoice"}],
        capacities=[{"id": ID, "available": 0, "maximum": 8, "updated": "2026-11-10T08:30:00Z"}],
        assured_date="2026-10-05",
        status="temporarily closed",
        eligibility_description="Kent firms.",
        contacts=[{"id": ID, "name": "Somebody"}],
    )
    (row,), rejected = read(OpenReferral(), write([found]))
    assert rejected == []
    assert row.data == {
        **LEAST,
        "status": "temporarily-closed",
        "organization": {
            "name": "A chamber",
            "identifiers": [{"identifier_scheme": "GB-COH", "identifier": "01234567"}],
        },
        "programme": "SIE",
        "service_areas": ["UKJ4", "GB-MDW"],
        "languages": ["en", "fr", "pl"],
        "required_documents": [{"document": {"en": "Invoice"}, "uri": "https://kib.example/invoice"}],
        "capacity": {
            "status": "no-capacity",
            "available": 0,
            "maximum": 8,
            "updated": "2026-11-10T08:30:00Z",
        },
        "assured_date": "2026-10-05",
        "extensions": {"hsds": {"eligibility_description": "Kent firms."}},
    }


@pytest.mark.parametrize(
    ("written", "amount"),
    [("0", "0.00"), ("35", "35.00"), ("35.5", "35.50"), ("0.1", "0.10"), ("1e3", "1000.00")],
)
def test_amount_stays_exact(write: Any, read: Any, written: str, amount: str) -> None:
    text = (
        f'{{"id": "{ID}", "name": "a", "description": "b", "status": "active", "attributes": [{{'
        f'"taxonomy_term": {{"taxonomy": "hub-service-type", "code": "other"}}}}], "cost_options": [{{'
        f'"option": "Fee", "currency": "gbp", "amount": {written}}}]}}'
    )
    (row,), rejected = read(OpenReferral(), write(text))
    assert rejected == []
    assert row.data["cost_options"] == [{"option": {"en": "Fee"}, "amount": amount, "currency": "GBP"}]


def test_price_in_words_leaves_the_price_unknown(write: Any, read: Any) -> None:
    found = service(cost_options=[{"id": ID, "option": "Members", "amount_description": "on request"}])
    (row,), _ = read(OpenReferral(), write([found]))
    assert "cost_options" not in row.data
    assert row.data["extensions"] == {"hsds": {"cost_options": ["Members", "on request"]}}


def test_texts_are_in_the_language_that_the_service_names(write: Any, read: Any) -> None:
    (row,), _ = read(OpenReferral(), write([service(attribute("hub-text-language", "fra"))]))
    assert row.data["name"] == {"fr": "Export clinic"}


@pytest.mark.parametrize(
    ("found", "field", "message"),
    [
        (service(id="kib-017"), "/0/id", '"kib-017" is not a UUID'),
        (service(name=None), "/0/name", "required and missing"),
        (service(description=""), "/0/description", "required and empty"),
        (service(status=None), "/0/status", "required and missing"),
        (service(status="closed"), "/0/status", '"closed" is not known'),
        (service(assured_date="yesterday"), "/0/assured_date", "is not a date"),
        (service(url="kib.example"), "/0/url", "is not an http or https address"),
        (service(email="nobody"), "/0/email", "is not an e-mail address"),
        (service(languages=[{"code": "xx"}]), "/0/languages/0", "is not a BCP 47 language tag"),
        (service(languages=[{"name": "Elvish"}]), "/0/languages/0", "neither a code nor a known name"),
        (service(languages="en"), "/0/languages", "not a list of objects"),
        (service(service_areas=[{"name": "Kent"}]), "/0/service_areas/0", "The area has no code"),
        (service(organization="Kent"), "/0/organization", "not an object"),
        (service(organization={"id": ID}), "/0/organization", "required and missing"),
        (
            service(cost_options=[{"amount": -1, "currency": "GBP"}]),
            "/0/cost_options/0/amount",
            '"-1" is not an',
        ),
        (service(cost_options=[{"amount": 5}]), "/0/cost_options/0/currency", "currency is missing"),
        (service(cost_options=[{"amount": 5, "currency": "xxy"}]), "/0/cost_options/0", '"XXY"'),
        (service(required_documents=[{"uri": "x"}]), "/0/required_documents/0", ""),
        (service(capacities=[{"available": 1}, {"available": 2}]), "/0/capacities", "several"),
        (service(attribute("hub-service-type", "other")), "/0/attributes/1", "second value"),
        (service(attribute("hub-pathway-step", "step")), "/0/attributes/1", '"step" is not known'),
        (service(attribute("hub-delivery")), "/0/attributes/1", "no code"),
        (service(attribute("hub-size", "tiny")), "/0/attributes/1", '"tiny" is not known'),
        (service(attribute("nace-2.1", "00.00")), "/0/attributes/1", "not a code of nace-2.1"),
        (service(attribute("hs-2022", "123456")), "/0/attributes/1", "Harmonized System"),
        (service(attribute("hub-eligibility", value="{")), "/0/attributes/1/value", "Not JSON"),
        (
            service(attribute("hub-eligibility", value='{"fact": "size"}')),
            "/0/attributes/1/value",
            "exactly one",
        ),
        (service(attribute("hub-eligibility", value="[]")), "/0/attributes/1/value", "JSON object"),
        (service(attribute("hub-funding-term", "max-award", "{}")), "/0/attributes/1/value", "required"),
        (service(attribute("hub-translation", "name", "x")), "/0/attributes/1", "no language"),
        (service(attribute("hub-translation", "title", "x", language="fr")), "/0/attributes/1", '"title"'),
        (
            service(attribute("hub-sector", "62")),
            "/0/attributes/1/taxonomy_term",
            '"hub-sector" is not known',
        ),
    ],
)
def test_bad_field_is_named_with_its_place_and_a_remedy(
    write: Any, read: Any, found: dict[str, Any], field: str, message: str
) -> None:
    good = {**service(), "id": "ac148810-d857-441c-9679-000000000000"}
    rows, rejected = read(OpenReferral(), write([found, good]))
    assert [row.number for row in rows] == [2], "the next row is read"
    assert {entry.row for entry in rejected} == {1}
    assert any(entry.field.startswith(field) and message in entry.message for entry in rejected), rejected
    assert all(entry.remedy for entry in rejected)


def test_service_without_type_says_where_to_put_it(write: Any, read: Any) -> None:
    _, (rejected,) = read(OpenReferral(), write([{**service(), "attributes": []}]))
    assert (rejected.field, rejected.message) == (
        "/0/attributes",
        "The type of service is required and missing.",
    )
    assert "hub-service-type" in rejected.remedy


def test_second_service_of_one_id_is_rejected(write: Any, read: Any) -> None:
    rows, (rejected,) = read(OpenReferral(), write({"contents": [service(), service(name="Other")]}))
    assert len(rows) == 1
    assert (rejected.row, rejected.field) == (2, "/contents/1/id")


def test_page_of_several_may_hide_services(write: Any, read: Any) -> None:
    rows, (rejected,) = read(OpenReferral(), write({"contents": [service()], "last_page": False}))
    assert len(rows) == 1
    assert (rejected.row, rejected.unread) == (0, True)
    assert "one page of several" in rejected.message


@pytest.mark.parametrize("content", ["7", '{"services": []}', '"text"', "null"])
def test_file_that_is_no_hsds_is_one_rejected_on_row_0(write: Any, read: Any, content: str) -> None:
    rows, (rejected,) = read(OpenReferral(), write(content))
    assert rows == []
    assert (rejected.row, rejected.unread) == (0, True)
