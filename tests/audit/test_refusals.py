"""Counting refusals before they are told: at once, then together, always bounded, none lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from hub.events.refusals import ELSEWHERE, KINDS_MAX, KINDS_OF_ACTOR_MAX, WINDOW, Refusals
from tests.support.messages import EEN, KENT, partner

START = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def note(refusals: Refusals, second: float = 0, where: str = "GET /receipts/{seq}", who: str = KENT) -> str:
    at = START + timedelta(seconds=second)
    return refusals.note(partner(who), "right.refused", "scope.missing", where, at)


def told(refusals: Refusals, second: float) -> list[tuple[str | None, str, int]]:
    due = refusals.take_due(START + timedelta(seconds=second))
    return [(one.principal.client_id, one.where, one.count) for one in due]


def test_first_refusal_is_told_at_once_and_the_next_ones_together_a_minute_later() -> None:
    refusals = Refusals()
    assert note(refusals) == "first"
    assert told(refusals, 0) == [(KENT, "GET /receipts/{seq}", 1)]
    for second in range(1, 50):
        assert note(refusals, second) == "again"
        assert told(refusals, second) == []
    assert told(refusals, 59.9) == []
    (tally,) = refusals.take_due(START + timedelta(seconds=60))
    assert (tally.count, tally.from_at, tally.to_at) == (
        49,
        START + timedelta(seconds=1),
        START + timedelta(seconds=49),
    )


def test_kinds_that_are_quiet_for_a_minute_are_forgotten() -> None:
    refusals = Refusals()
    note(refusals)
    told(refusals, 0)
    assert told(refusals, 60) == []
    assert len(refusals) == 0
    assert refusals.next_due() is None
    assert note(refusals, 61) == "first"


def test_actors_and_places_are_told_apart() -> None:
    refusals = Refusals()
    note(refusals, who=KENT)
    note(refusals, who=EEN)
    note(refusals, where="Query.sme", who=EEN)
    assert sorted(told(refusals, 0), key=str) == sorted(
        [(KENT, "GET /receipts/{seq}", 1), (EEN, "GET /receipts/{seq}", 1), (EEN, "Query.sme", 1)], key=str
    )


def test_one_actor_has_a_bounded_number_of_kinds_and_the_rest_counts_as_one() -> None:
    refusals = Refusals()
    for number in range(1_000):
        note(refusals, where=f"GET /{number}")
    places = {where: count for _, where, count in told(refusals, 0)}
    assert len(places) == KINDS_OF_ACTOR_MAX + 1
    assert places[ELSEWHERE] == 1_000 - KINDS_OF_ACTOR_MAX


def test_a_person_is_one_actor_whatever_client_it_uses() -> None:
    refusals = Refusals()
    for client in ("console", "tool"):
        who = Principal(client, Audience.MANAGER, person="7f1c1e02-94d8-4a9e-8a3e-6d6d0a1f6f53")
        refusals.note(who, "right.refused", "scope.missing", "Query.sme", START)
    assert len(refusals) == 1


def test_no_flood_fills_the_memory() -> None:
    refusals = Refusals()
    noted = [note(refusals, who=f"p{number}") for number in range(2 * KINDS_MAX)]
    assert noted.count("full") == KINDS_MAX
    assert len(refusals) == KINDS_MAX
    told(refusals, 0)
    told(refusals, 60)
    assert note(refusals, 61, who="late") == "first"


def test_what_could_not_be_told_is_due_again_with_what_came_since() -> None:
    refusals = Refusals()
    note(refusals)
    due = refusals.take_due(START)
    note(refusals, 5)
    refusals.give_back(due)
    (again,) = refusals.take_due(START + timedelta(seconds=5))
    assert (again.count, again.from_at, again.to_at) == (2, START, START + timedelta(seconds=5))


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.sampled_from([KENT, EEN]), st.integers(0, 40), st.booleans()),
        max_size=120,
    )
)
def test_every_refusal_is_told_once_and_no_kind_more_than_once_a_minute(
    steps: list[tuple[float, str, int, bool]],
) -> None:
    refusals, now, noted, counted = Refusals(), 0.0, 0, 0
    told_at: dict[tuple[str | None, str], datetime] = {}
    for pause, who, place, fails in steps:
        now += pause
        at = START + timedelta(seconds=now)
        if note(refusals, now, f"GET /{place}", who) != "full":
            noted += 1
        due = refusals.take_due(at)
        if fails:
            refusals.give_back(due)
            continue
        for one in due:
            kind = one.principal.client_id, one.where
            assert kind not in told_at or at - told_at[kind] >= WINDOW
            told_at[kind] = at
            counted += one.count
    rest = refusals.take_due(START + timedelta(seconds=now), all_of_them=True)
    assert counted + sum(one.count for one in rest) == noted
