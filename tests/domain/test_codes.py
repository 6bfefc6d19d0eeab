"""Code lists: what is in them, what is not, and what a code is called."""

from __future__ import annotations

import subprocess
import sys

import pytest
from stdnum.eu import nace

from hub.domain import codes


@pytest.mark.parametrize("code", ["FR", "GB", "NL", "DE", "ES", "PL", "CZ", "IT", "US"])
def test_country_is_iso_alpha_2(code: str) -> None:
    assert codes.is_country(code)


@pytest.mark.parametrize("code", ["UK", "EL", "fr", "FRA", "France", "XX", "EU", "", "F", " FR"])
def test_anything_else_is_no_country(code: str) -> None:
    assert not codes.is_country(code)


@pytest.mark.parametrize("code", ["EUR", "GBP", "PLN", "CZK"])
def test_currency_is_iso_4217(code: str) -> None:
    assert codes.is_currency(code)


@pytest.mark.parametrize("code", ["eur", "EURO", "€", "", "DMK"])
def test_anything_else_is_no_currency(code: str) -> None:
    assert not codes.is_currency(code)


@pytest.mark.parametrize(
    "tag",
    ["en", "fr", "nl-BE", "zh-Hant", "zh-Hant-TW", "EN-gb", "fry", "es-419", "sl-rozaj-biske-1994",
     "de-CH-x-phonebk", "en-u-ca-gregory", "zh-cmn-Hans"],
)  # fmt: skip
def test_language_is_a_well_formed_tag_of_a_known_language(tag: str) -> None:
    assert codes.is_language(tag)


@pytest.mark.parametrize(
    "tag",
    ["english", "français", "xx", "e", "", "en-", "-en", "en_GB", "en-\n", "en\n", "x-own", "qaa",
     "sl-rozaj-rozaj", "en-a-bb-A-cc", "en-u", "en-abcdefghi"],
)  # fmt: skip
def test_other_text_is_no_language(tag: str) -> None:
    assert not codes.is_language(tag)


@pytest.mark.parametrize(
    "code",
    ["UKJ4", "UKJ", "UK", "GB", "EL30", "EL", "GR", "FRD2", "NL12", "DE911", "GB-KEN", "NL-FR", "FR-NOR"],
)
def test_area_is_nuts_or_iso_3166_2(code: str) -> None:
    assert codes.is_area(code)


@pytest.mark.parametrize(
    "code", ["GBJ4", "GR30", "XX1", "ukj4", "UKJ461", "GB-XYZ", "Kent", "", "U", "UKJ-4", "UKJ4\n"]
)
def test_anything_else_is_no_area(code: str) -> None:
    assert not codes.is_area(code)


@pytest.mark.parametrize("scheme", ["nace-2.0", "nace-2.1"])
@pytest.mark.parametrize("code", ["A", "01", "01.1", "01.11", "U"])
def test_sector_may_be_given_at_any_level(scheme: str, code: str) -> None:
    assert codes.is_nace(code, scheme)


def test_revisions_of_nace_are_told_apart() -> None:
    assert codes.is_nace("62.10", "nace-2.1")
    assert not codes.is_nace("62.10", "nace-2.0")
    assert codes.is_nace("62.01", "nace-2.0")
    assert not codes.is_nace("62.01", "nace-2.1")


@pytest.mark.parametrize("code", ["6210", "62.", "62.1.0", "62.100", "j", "Z", "99.99", "", "1"])
def test_anything_else_is_no_sector(code: str) -> None:
    assert not codes.is_nace(code, "nace-2.1")


def test_unknown_scheme_has_no_sectors() -> None:
    assert not codes.is_nace("62", "nace-1.1")
    assert not codes.is_nace("62", "sic")


@pytest.mark.parametrize(
    ("scheme", "revision", "classes"), [("nace-2.0", "2.0", 615), ("nace-2.1", "2.1", 651)]
)
def test_sectors_agree_with_python_stdnum(scheme: str, revision: str, classes: int) -> None:
    found = [
        f"{division:02}.{rest:02}"
        for division in range(100)
        for rest in range(100)
        if codes.is_nace(f"{division:02}.{rest:02}", scheme)
    ]
    assert len(found) == classes
    for code in found:
        assert nace.is_valid(code, revision=revision)
        assert codes.label(scheme, code) == nace.get_label(code, revision=revision)


@pytest.mark.parametrize("code", ["84", "8471", "847130", "01", "970690"])
def test_product_may_be_chapter_heading_or_subheading(code: str) -> None:
    assert codes.is_hs(code)


@pytest.mark.parametrize("code", ["8471.30", "84713", "8", "847199", "77", "TOTAL", "", "847130\n"])
def test_anything_else_is_no_product(code: str) -> None:
    assert not codes.is_hs(code)


@pytest.mark.parametrize("code", ["GB-COH", "FR-RCS", "NL-KVK", "XI-LEI", "XM-DAC", "CA-CRA_ACR"])
def test_register_has_the_shape_of_org_id_guide(code: str) -> None:
    assert codes.is_org_scheme(code)


@pytest.mark.parametrize(
    "code", ["GB", "GB-", "gb-coh", "COH", "GB-COH-1", "GB-_", "GBR-COH", "GB-COH\n", ""]
)
def test_anything_else_is_no_register(code: str) -> None:
    assert not codes.is_org_scheme(code)


@pytest.mark.parametrize(
    ("scheme", "code", "holders"),
    [
        ("nace-2.1", "62.10", ("62.1", "62", "K")),
        ("nace-2.0", "62.01", ("62.0", "62", "J")),
        ("nace-2.1", "62", ("K",)),
        ("nace-2.1", "K", ()),
        (codes.HS_SCHEME, "847130", ("8471", "84")),
        (codes.HS_SCHEME, "84", ()),
        ("area", "UKJ46", ("UKJ4", "UKJ", "UK")),
        ("area", "GB-KEN", ("GB",)),
        ("area", "nowhere", ()),
        ("nace-2.1", "99.99", ()),
        ("country", "FR", ()),
    ],
)
def test_code_knows_what_it_is_part_of(scheme: str, code: str, holders: tuple[str, ...]) -> None:
    assert codes.broader(scheme, code) == holders


@pytest.mark.parametrize(
    ("scheme", "code", "language", "name"),
    [
        ("country", "FR", "nl", "Frankrijk"),
        ("country", "GB", "fr-BE", "Royaume-Uni"),
        ("country", "DE", "es", "Alemania"),
        ("country", "DE", "tlh", "Germany"),
        ("language", "nl", "en", "Dutch"),
        ("language", "nl-BE", "fr", "néerlandais (Belgique)"),
        ("currency", "GBP", "fr", "livre sterling"),
        ("area", "UK", "nl", "Verenigd Koninkrijk"),
        ("area", "NL-FR", "en", "Fryslân"),
        ("nace-2.1", "62.10", "fr", "Computer programming activities"),
        (codes.HS_SCHEME, "0101", "en", "Horses, asses, mules and hinnies; live"),
    ],
)
def test_code_has_a_name_in_the_readers_language(scheme: str, code: str, language: str, name: str) -> None:
    assert codes.label(scheme, code, language) == name


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        ("country", "UK"),
        ("language", "english"),
        ("currency", "DMK"),
        ("area", "UKJ4"),
        ("nace-2.1", "99.99"),
        ("hs-2022", "000000"),
        ("channel", "phone"),
    ],
)
def test_code_without_a_name_is_its_own_name(scheme: str, code: str) -> None:
    assert codes.label(scheme, code, "en") == code


def test_nearest_finds_the_name_that_was_meant() -> None:
    known = ["service_type", "service_areas", "own_id"]
    assert codes.nearest("serviceType", known) == "service_type"
    assert codes.nearest("Own_Id", known) == "own_id"


def test_nearest_offers_nothing_that_is_not_alike() -> None:
    assert codes.nearest("colour", ["service_type", "own_id"]) is None
    assert codes.nearest("anything", []) is None


def test_nearest_does_not_compare_names_of_hostile_length() -> None:
    assert codes.nearest("a" * (codes.NAME_LENGTH_MAX + 1), ["a" * codes.NAME_LENGTH_MAX]) is None


def test_no_list_is_loaded_before_it_is_asked_for() -> None:
    program = (
        "import sys, hub.domain.codes\n"
        "print(sorted({'pycountry', 'babel', 'stdnum', 'difflib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
