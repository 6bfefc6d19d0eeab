"""The sample feeds: complete, correct, and as varied as the demonstration needs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub.connectors import CONNECTORS
from hub.connectors.base import Connector, Row
from hub.domain.services import content_hash
from tests.connectors.conftest import SAMPLES

FEEDS = {
    "open_referral": ("kent-international-business", ".json", 17),
    "spreadsheet": ("team-france-export-normandy", ".csv", 16),
    "een": ("enterprise-europe-network", ".json", 15),
}


def rows_of(connector: Connector) -> list[Row]:
    slug, ending, _count = FEEDS[connector.name]
    found = list(connector.read(SAMPLES / f"{slug}{ending}", slug))
    assert all(isinstance(entry, Row) for entry in found), found
    return [entry for entry in found if isinstance(entry, Row)]


def sample_rows(name: str) -> dict[str, Row]:
    return {str(row.key): row for row in rows_of(next(one for one in CONNECTORS if one.name == name))}


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_every_row_of_a_sample_is_read(connector: Connector) -> None:
    rows = rows_of(connector)
    assert len(rows) == FEEDS[connector.name][2]
    assert len({row.subject for row in rows}) == len(rows)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_reading_twice_gives_the_same_rows_and_hashes(connector: Connector) -> None:
    first, second = rows_of(connector), rows_of(connector)
    assert first == second
    assert [content_hash(row.data) for row in first] == [content_hash(row.data) for row in second]


@pytest.mark.parametrize("name", [slug + ending for slug, ending, _ in FEEDS.values()])
def test_samples_name_mailboxes_under_example_domains_only(name: str) -> None:
    text = (SAMPLES / name).read_text(encoding="utf-8")
    assert set(re.findall(r"[\w.-]+@[\w.-]+", text)) == set(re.findall(r"[\w.-]+@[\w-]+\.example\b", text))


def test_kent_mission_has_exactly_this_payload() -> None:
    rows = {row.data["name"]["en"]: row for row in sample_rows("open_referral").values()}
    assert rows["Trade mission to Hauts-de-France"].data == {
        "own_id": "12c7a521-ed1d-5ec8-af84-9d542a1a75ab",
        "name": {
            "en": "Trade mission to Hauts-de-France",
            "fr": "Mission commerciale dans les Hauts-de-France",
        },
        "description": {
            "en": "Two days of prepared meetings with buyers and distributors in Lille and on the Opal "
            "Coast, with an interpreter and a briefing beforehand.",
            "fr": "Deux jours de rendez-vous préparés avec des acheteurs à Lille et sur la Côte d'Opale.",
        },
        "service_type": "trade-mission",
        "status": "active",
        "organization": {"name": "Kent County Council"},
        "pathway_step": "follow-up",
        "delivery": "physical",
        "reach": "european",
        "trade": ["export"],
        "sectors": [{"scheme": "nace-2.1", "code": code} for code in ("10", "11.0", "62.10")],
        "target_countries": ["FR"],
        "service_areas": ["UKJ4"],
        "languages": ["en", "fr"],
        "channels": ["visit"],
        "url": "https://www.kent.gov.uk/",
        "application_url": "https://kib.example/missions/hauts-de-france",
        "email": "international@kcc.example",
        "cost_options": [
            {
                "option": {"en": "Place on the mission, travel not included"},
                "amount": "180.00",
                "currency": "GBP",
            }
        ],
        "capacity": {
            "status": "capacity",
            "available": 3,
            "maximum": 12,
            "updated": "2026-11-10T08:30:00Z",
        },
        "eligibility": {
            "all": [
                {"fact": "area", "in": ["UKJ4"], "text": {"en": "Your firm is based in Kent."}},
                {
                    "fact": "own_product_line",
                    "equals": True,
                    "text": {"en": "You sell a product or service of your own."},
                },
                {"not": {"fact": "size", "in": ["large"], "text": {"en": "You are a large firm."}}},
            ]
        },
        "valid_from": "2027-03-09",
        "valid_to": "2027-03-10",
        "assured_date": "2026-10-05",
        "assurer_email": "catalogue@kib.example",
    }


def test_kent_status_with_a_space_gets_a_hyphen() -> None:
    rows = {row.data["name"]["en"]: row for row in sample_rows("open_referral").values()}
    assert rows["Selling abroad online: clinic"].data["status"] == "temporarily-closed"


def test_normandy_grant_has_exactly_this_payload() -> None:
    source = {"source": "https://www.interregeurope.eu/", "date": "2018-09-17"}
    row = sample_rows("spreadsheet")["TFEN-011"]
    assert row.number == 12
    assert row.data == {
        "own_id": "TFEN-011",
        "name": {"fr": "Impulsion Export", "en": "Impulsion Export grant"},
        "description": {
            "fr": "Subvention de la Région Normandie aux PME qui engagent un projet international : "
            "au plus 75 000 euros et 50 % des dépenses, sur deux ans."
        },
        "service_type": "grant",
        "status": "active",
        "organization": {"name": "Agence de développement pour la Normandie"},
        "pathway_step": "business-plan",
        "reach": "both",
        "trade": ["export"],
        "service_areas": ["FRD"],
        "languages": ["fr"],
        "audience": {"sizes": ["micro", "small", "medium"]},
        "url": "https://www.adnormandie.fr/",
        "application_url": "https://impulsion.example/dossier",
        "email": "export@adn.example",
        "cost_options": [{"option": {"fr": "Dépôt du dossier"}, "amount": "0.00", "currency": "EUR"}],
        "required_documents": [
            {"document": {"fr": "Feuille de route signée"}},
            {"document": {"fr": "Devis des dépenses"}},
            {"document": {"fr": "Extrait Kbis"}, "uri": "https://www.infogreffe.fr/"},
            {"document": {"fr": "Dernière liasse fiscale"}},
        ],
        "processing_time": "P2M",
        "eligibility": {
            "all": [
                {"fact": "area", "in": ["FRD"], "text": {"fr": "Région de l'entreprise"}},
                {"fact": "employees", "at_most": 249, "text": {"fr": "Effectif maximal"}},
            ]
        },
        "funding_terms": [
            {"term": "max-award", "value": "75000.00", "unit": "EUR", **source},
            {"term": "max-rate", "value": "50", "unit": "percent", **source},
            {"term": "award-window", "value": "2", "unit": "years", **source},
        ],
        "assured_date": "2026-10-12",
        "assurer_email": "catalogue@tfen.example",
    }


def test_both_claims_about_the_insurance_stand_side_by_side() -> None:
    terms = sample_rows("spreadsheet")["TFEN-012"].data["funding_terms"]
    claims = {
        term["term"]: (term["value"], term["source"], term["date"])
        for term in terms
        if "share" in term["term"]
    }
    assert claims == {
        "max-unpaid-share": ("65", "https://www.interregeurope.eu/", "2018-09-17"),
        "min-repaid-share": ("30", "https://www.maregionsud.fr/", "2025-04-01"),
    }


def test_europe_network_profile_has_exactly_this_payload() -> None:
    assert sample_rows("een")["TOFI20261018002"].data == {
        "reference": "TOFI20261018002",
        "opportunity_type": "technology-offer",
        "title": {"en": "Indoor air-quality monitoring that works without wiring"},
        "summary": {
            "en": "A Finnish firm offers battery-free sensors and a data service to installers "
            "and property owners."
        },
        "country": "FI",
        "target_countries": ["DE", "NL", "SE", "EE"],
        "sectors": [{"scheme": "nace-2.1", "code": "26.51"}, {"scheme": "nace-2.1", "code": "62.10"}],
        "published_on": "2026-10-18",
        "expires_on": "2027-10-18",
        "url": "https://een.example/profiles/TOFI20261018002",
        "extensions": {
            "een": {
                "advantages": "No maintenance for ten years; readings reach building systems "
                "through open interfaces.",
                "stageOfDevelopment": "already on the market",
            }
        },
    }


def test_samples_show_every_kind_of_variety_once_at_least() -> None:
    services = [*sample_rows("open_referral").values(), *sample_rows("spreadsheet").values()]
    data = [row.data for row in services]
    amounts = [option["amount"] for one in data for option in one.get("cost_options", [])]
    assert "0.00" in amounts
    assert any(float(amount) > 0 for amount in amounts)
    assert {one["capacity"]["status"] for one in data if "capacity" in one} == {
        "capacity",
        "no-capacity",
        "waitlist",
        "additional-assessment-required",
    }
    lengths = {len(sector["code"]) for one in data for sector in one.get("sectors", [])}
    assert lengths >= {1, 2, 4, 5}, "section, division, group and class of NACE"
    assert {len(code) for one in data for code in one.get("products", [])} >= {2, 4, 6}
    assert "selep-esif" in {tag for one in data for tag in one.get("policy_tags", [])}
    assert {one["status"] for one in data} == {"active", "defunct", "temporarily-closed"}
    profiles = [row.data for row in sample_rows("een").values()]
    assert len({profile["opportunity_type"] for profile in profiles}) == 5
    assert {language for profile in profiles for language in profile["title"]} >= {"en", "fr", "de", "es"}


def test_kent_sample_is_one_complete_page_with_unique_ids() -> None:
    page = json.loads((Path(SAMPLES) / "kent-international-business.json").read_text(encoding="utf-8"))
    ids = [service["id"] for service in page["contents"]]
    assert page["total_items"] == page["size"] == len(ids) == len(set(ids))
