"""Profiles of the Enterprise Europe Network: what is read, and what is said about what is not."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connectors.een import EuropeNetwork

PROFILE: dict[str, Any] = {
    "reference": "BOFR20261101001",
    "type": "BO",
    "title": "Cheese maker looks for distributors",
    "summary": "Ripened cheese.",
    "country": "FR",
    "publishedOn": "2026-11-01",
}


def test_least_profile_is_one_row(write: Any, read: Any) -> None:
    (row,), rejected = read(EuropeNetwork(), write([PROFILE]))
    assert rejected == []
    assert (row.number, row.key, row.type) == (1, "BOFR20261101001", "hub.opportunity.published.v1")
    # UUIDv5 in the URL namespace over urn:hub:opportunity:partner:BOFR20261101001.
    assert row.subject == "443ff7ae-3e00-5479-8cc8-19fd67eebb42"
    assert row.data == {
        "reference": "BOFR20261101001",
        "opportunity_type": "business-offer",
        "title": {"en": "Cheese maker looks for distributors"},
        "summary": {"en": "Ripened cheese."},
        "country": "FR",
        "published_on": "2026-11-01",
    }


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("BO", "business-offer"),
        ("BR", "business-request"),
        ("TO", "technology-offer"),
        ("TR", "technology-request"),
        ("RDR", "research-request"),
    ],
)
def test_type_of_a_profile_is_named_in_words(write: Any, read: Any, code: str, meaning: str) -> None:
    profile = {**PROFILE, "type": code, "reference": f"{code}FR20261101001"}
    (row,), _ = read(EuropeNetwork(), write([profile]))
    assert row.data["opportunity_type"] == meaning


@pytest.mark.parametrize("code", ["C10.51", "C.10.51", "10.51"])
def test_sector_is_read_however_the_network_writes_it(write: Any, read: Any, code: str) -> None:
    (row,), _ = read(EuropeNetwork(), write([{**PROFILE, "sectors": [code]}]))
    assert row.data["sectors"] == [{"scheme": "nace-2.1", "code": "10.51"}]


def test_language_of_the_texts_is_that_of_the_profile(write: Any, read: Any) -> None:
    profile = {**PROFILE, "language": "fr", "summary": {"fr": "Fromages.", "en": "Cheese."}}
    (row,), _ = read(EuropeNetwork(), write([profile]))
    assert row.data["title"] == {"fr": PROFILE["title"]}
    assert row.data["summary"] == {"fr": "Fromages.", "en": "Cheese."}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"type": "XX"}, "/0/type", '"XX" is not known.'),
        ({"type": "TR"}, "/0/type", "reference BOFR20261101001 is one of type BO"),
        ({"type": None}, "/0/type", "required and missing"),
        ({"title": None}, "/0/title", "required and missing"),
        ({"title": 7}, "/0/title", '"7"'),
        ({"country": "France"}, "/0/country", '"France": is not an ISO 3166-1 alpha-2 country'),
        ({"targetCountries": ["DE", "XX"]}, "/0/targetCountries", '"XX": is not an ISO 3166-1'),
        ({"sectors": ["C99.99"]}, "/0/sectors/0", '"99.99": is not a code of nace-2.1'),
        ({"sectors": ["J10.51"]}, "/0/sectors/0", "10.51 of nace-2.1 is in section C, not J"),
        ({"sectors": ["food"]}, "/0/sectors/0", '"food" is not a NACE code'),
        ({"sectors": "C10"}, "/0/sectors", "not a list"),
        ({"publishedOn": "01/11/2026"}, "/0/publishedOn", "is not a date written as YYYY-MM-DD"),
        ({"expiresOn": "2027-11-02"}, "/0/expiresOn", "is more than 365 days after published_on"),
        ({"openForInterest": "yes"}, "/0/openForInterest", '"yes"'),
        ({"url": "ftp://een.example/"}, "/0/url", "is not an http or https address"),
        ({"titel": "Käse"}, "/0/titel", '"titel" is not known.'),
        ({"summary": "a\x00b"}, "/0/summary", "U+0000"),
        ({"advantages": 10**20}, "/0", "an integer beyond 64 bits"),
        ({"summary": "\ud800"}, "/0/summary", "surrogate"),
    ],
)
def test_bad_field_is_named_with_its_place_and_a_remedy(
    write: Any, read: Any, change: dict[str, Any], field: str, message: str
) -> None:
    good = {**PROFILE, "reference": "BOFR20261101002"}
    rows, (rejected,) = read(EuropeNetwork(), write([{**PROFILE, **change}, good]))
    assert [row.key for row in rows] == ["BOFR20261101002"], "the next row is read"
    assert (rejected.row, rejected.field) == (1, field)
    assert message in rejected.message
    assert rejected.remedy
    assert rejected.subject
    assert not rejected.unread


def test_unknown_field_names_the_nearest_known(write: Any, read: Any) -> None:
    _, (rejected,) = read(EuropeNetwork(), write([{**PROFILE, "targetCountry": ["DE"]}]))
    assert rejected.remedy.startswith("Did you mean targetCountries?")


def test_profile_with_two_bad_fields_is_rejected_twice(write: Any, read: Any) -> None:
    rows, rejected = read(EuropeNetwork(), write([{**PROFILE, "country": "XX", "deadline": "soon"}]))
    assert rows == []
    assert [entry.field for entry in rejected] == ["/0/country", "/0/deadline"]


def test_second_profile_of_one_reference_is_rejected(write: Any, read: Any) -> None:
    rows, (rejected,) = read(EuropeNetwork(), write([PROFILE, {**PROFILE, "summary": "Other."}]))
    assert [row.number for row in rows] == [1]
    assert (rejected.row, rejected.field) == (2, "/1/reference")
    assert "stands in row 1 already" in rejected.message
    assert rejected.subject == rows[0].subject


def test_profile_without_reference_may_hide_any_record(write: Any, read: Any) -> None:
    profile = {name: value for name, value in PROFILE.items() if name != "reference"}
    rows, (rejected,) = read(EuropeNetwork(), write([profile]))
    assert rows == []
    assert rejected.field == "/0/reference"
    assert rejected.subject is None
    assert rejected.unread


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"reference": ', "Not JSON: Expecting value at line 1, column 16"),
        (b"", "Not JSON"),
        (b'[{"a": NaN}]', "NaN is not a number"),
        (b'[{"a": 1, "a": 2}]', 'the name "a" stands twice'),
        (b'{"profiles": []}', "not a list of profiles"),
        ('[{"title": "Käse"}]'.encode("cp1252"), "not UTF-8: byte 13"),
        ("[]".encode("utf-16"), "not UTF-8"),
        (b"[" * 200_000, "levels deep"),
        (b"[" * 80 + b"]" * 80, "levels deep"),
        (b"[" + b"9" * 5_000 + b"]", "Not JSON that everybody reads alike"),
    ],
)
def test_unreadable_file_is_one_rejected_on_row_0(
    write: Any, read: Any, content: bytes, message: str
) -> None:
    rows, (rejected,) = read(EuropeNetwork(), write(content))
    assert rows == []
    assert (rejected.row, rejected.field) == (0, "")
    assert message in rejected.message
    assert rejected.remedy
    assert rejected.unread


def test_byte_order_mark_is_no_error(write: Any, read: Any) -> None:
    rows, rejected = read(EuropeNetwork(), write(b"\xef\xbb\xbf[]"))
    assert (rows, rejected) == ([], [])


def test_entry_that_is_no_object_is_rejected(write: Any, read: Any) -> None:
    rows, (rejected,) = read(EuropeNetwork(), write(["BOFR20261101001", PROFILE]))
    assert [row.number for row in rows] == [2]
    assert (rejected.row, rejected.field, rejected.unread) == (1, "/0", True)
