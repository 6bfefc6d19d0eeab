"""Decisions are numbered without a gap, have one form, and are cited by the number that they have."""

from __future__ import annotations

import re

from tests.tidy.sources import ROOT, text_files, where

RECORDS = tuple(sorted((ROOT / "docs" / "decisions").iterdir()))
PARTS = ["Context.", "Decision.", "Consequences.", "Alternatives.", "Kept true by"]

#: A link to a record: its text, which may say a number, and the file.
LINK = re.compile(r"\[([^\]]+)\]\((?:docs/)?(?:decisions/)?(\d{4}-[\w-]+\.md)\)")


def test_decisions_are_numbered_once_each_and_without_a_gap() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


def test_every_decision_has_the_same_form() -> None:
    for path in RECORDS:
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# {path.name[:4]} [^\n]+[^.\n]\n\n\*\*Context", text), where(path, 1)
        assert re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE) == PARTS, where(path)


def test_a_link_to_a_decision_says_its_number_and_leads_to_it() -> None:
    links = [
        (where(path, text.count("\n", 0, link.start()) + 1), link[1], link[2])
        for path in text_files()
        if path.suffix == ".md"
        for text in [path.read_text(encoding="utf-8")]
        for link in LINK.finditer(text)
    ]
    assert len(links) > 20, "few were found: the test looks in the wrong place"
    names = {path.name for path in RECORDS}
    for found_at, said, name in links:
        assert name in names, found_at
        assert {int(number) for number in re.findall(r"\d+", said)} <= {int(name[:4])}, found_at
