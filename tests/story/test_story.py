"""The worked story over HTTP: every message has the answer that the story says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.messages import KENT, partner, service
from tests.support.serving import Served, Session

STEPS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "story.json").read_text(encoding="utf-8"))
WAIT = {"Prefer": "wait=5"}


def said(answer: httpx.Response) -> str:
    """The answer in the words of the story."""
    document = answer.json()
    if "receipts" not in document:
        assert answer.headers["content-type"] == "application/problem+json"
        assert document["remedy"]
        assert document["status"] == answer.status_code
        return f"{answer.status_code} {document['code']}"
    assert answer.status_code == 200, answer.text
    (receipt,) = document["receipts"]
    if receipt["duplicate"]:
        return "duplicate"
    refusal = receipt["refusal"]
    return f"{receipt['status']} {refusal['code']}" if refusal else str(receipt["status"])


async def test_every_step_of_the_story_is_answered_as_told(served: Served) -> None:
    answers: dict[int, httpx.Response] = {}
    async with Session(served) as session:
        for step in STEPS:
            answers[step["step"]] = await session.post(step["as"], step["event"], headers=WAIT)
    told = {step["step"]: step["expect"] for step in STEPS}
    assert {number: said(answer) for number, answer in answers.items()} == told

    seqs = {
        number: answer.json()["receipts"][0]["seq"] for number, answer in answers.items() if answer.is_success
    }
    first, again = 5, 57
    assert STEPS[first - 1]["event"] == STEPS[again - 1]["event"]
    assert seqs.pop(again) == seqs[first]
    assert list(seqs.values()) == sorted(set(seqs.values())), "each accepted event has a number of its own"


async def test_without_prefer_the_answer_is_202_and_holds_no_verdict(served: Served) -> None:
    message = service(partner(KENT), "without-prefer")
    answer = await served.post(KENT, message)
    assert answer.status_code == 202
    (receipt,) = answer.json()["receipts"]
    assert receipt == {
        "id": message["id"],
        "source": message["source"],
        "seq": receipt["seq"],
        "duplicate": False,
    }
    assert receipt["seq"] > 0


@pytest.mark.parametrize("prefer", ["wait=0", "wait", "wait=-1", "respond-async", "wait=x"])
async def test_a_preference_that_asks_for_no_wait_is_not_waited_for(served: Served, prefer: str) -> None:
    answer = await served.post(KENT, service(partner(KENT), prefer), headers={"Prefer": prefer})
    assert answer.status_code == 202
    assert "status" not in answer.json()["receipts"][0]
