"""Quotas by partner: buckets that fill with time, and fair turns before the writer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.events.buckets import SIZE_MAX
from hub.events.intake import GROUP_EVENTS_MAX, Intake
from hub.events.quotas import COST_MAX, Quotas
from hub.events.rejection import Rejected
from hub.events.turns import Turns
from tests.support.messages import EEN, KENT, NORMANDY, partner, service
from tests.support.spine import Spine, embedded, running_spine
from tests.support.waiting import soon

MIB = 1024**2


class Clock:
    """Seconds that pass when the test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(quotas: Quotas, **wanted: int) -> Rejected:
    with pytest.raises(Rejected) as caught:
        quotas.take(KENT, **wanted)
    assert (caught.value.status, caught.value.code) == (429, "quota.exceeded")
    return caught.value


def left(quotas: Quotas, who: str = KENT) -> dict[str, int]:
    return {one.name: one.left for one in quotas.left(who)}


def test_ten_seconds_of_the_rate_may_come_at_once_and_no_more(clock: Clock) -> None:
    quotas = Quotas(events_per_s=500, clock=clock)
    for _ in range(5):
        quotas.take(KENT, events=1_000)
    assert left(quotas) == {"events": 0}
    assert refused(quotas, events=1).retry_after_s == 1


def test_what_was_asked_for_is_there_after_the_seconds_that_were_told_and_not_before(clock: Clock) -> None:
    quotas = Quotas(events_per_s=300, clock=clock)
    quotas.take(KENT, events=3_000)
    assert refused(quotas, events=1_000).retry_after_s == 4  # 3.33 s, in whole seconds
    clock.now_s += 3.3
    assert refused(quotas, events=1_000).retry_after_s == 1
    clock.now_s += 0.7
    quotas.take(KENT, events=1_000)
    assert left(quotas) == {"events": 200}


def test_a_refusal_takes_nothing_from_any_bucket(clock: Clock) -> None:
    quotas = Quotas(events_per_s=100, bytes_per_s=MIB, clock=clock)
    quotas.take(KENT, events=990)
    before = left(quotas)
    refused(quotas, events=11, body_bytes=1_000)
    assert left(quotas) == before


def test_a_bucket_holds_a_whole_batch_however_low_its_rate(clock: Clock) -> None:
    quotas = Quotas(events_per_s=1, bytes_per_s=1, clock=clock)
    quotas.take(KENT, events=1_000, body_bytes=4 * MIB)
    assert refused(quotas, events=1_000).retry_after_s == 1_000


def test_the_dearest_document_may_be_asked_for_however_low_the_rate(clock: Clock) -> None:
    quotas = Quotas(cost_per_s=1, clock=clock)
    quotas.take(KENT, cost=COST_MAX)
    assert refused(quotas, cost=1).retry_after_s == 1


def test_who_is_not_seen_for_longest_is_forgotten_where_anybody_may_come(clock: Clock) -> None:
    quotas = Quotas(cost_per_s=1, clock=clock, accounts_max=2)
    for who in ("a", "b", "a", "c"):
        quotas.take(who, cost=10_000)
    assert left(quotas, "a") == {"cost": 0}
    assert left(quotas, "b") == {"cost": COST_MAX}


def test_a_bucket_gets_no_fuller_than_full_and_counts_as_graphql_can(clock: Clock) -> None:
    quotas = Quotas(events_per_s=SIZE_MAX, bytes_per_s=200, clock=clock)
    clock.now_s += 10_000_000
    assert left(quotas) == {"events": SIZE_MAX, "bytes": 4 * MIB}


def test_one_partner_uses_up_its_own_quota_alone(clock: Clock) -> None:
    quotas = Quotas(events_per_s=100, clock=clock)
    quotas.take(KENT, events=1_000)
    quotas.take(NORMANDY, events=1_000)
    assert left(quotas, EEN) == {"events": 1_000}


def test_a_rate_of_nought_is_no_quota(clock: Clock) -> None:
    quotas = Quotas(clock=clock)
    quotas.take(KENT, events=10**9, body_bytes=10**12)
    assert quotas.left(KENT) == []


async def test_who_can_wait_is_slowed_down_to_the_rate_and_never_refused() -> None:
    begun_s = time.monotonic()
    quotas = Quotas(events_per_s=10_000)
    await quotas.wait(KENT, events=100_000)
    await asyncio.gather(*(quotas.wait(KENT, events=500) for _ in range(4)))
    assert time.monotonic() - begun_s >= 0.199, "a full bucket and what came back: no more than that"


async def test_who_waits_may_ask_for_more_than_a_bucket_holds() -> None:
    quotas = Quotas(events_per_s=100_000)
    begun_s = time.monotonic()
    await quotas.wait(KENT, events=1_010_000)
    assert time.monotonic() - begun_s >= 0.05


posts = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 1_000)), max_size=60)


@given(posts)
def test_turns_keep_the_order_of_each_partner_and_lose_nothing(posts: list[tuple[str, int]]) -> None:
    turns: Turns[int] = Turns()
    for place, (who, events) in enumerate(posts):
        turns.put(who, events, place)
    taken = [turns.take() for _ in posts]
    assert not turns
    for who in "abc":
        assert [place for name, _, place in taken if name == who] == [
            place for place, (name, _) in enumerate(posts) if name == who
        ]


@given(posts)
def test_no_partner_that_waits_gets_a_batch_ahead_of_another(posts: list[tuple[str, int]]) -> None:
    turns: Turns[None] = Turns()
    waiting = dict.fromkeys("abc", 0)
    for who, events in posts:
        turns.put(who, events, None)
        waiting[who] += 1
    had = dict.fromkeys("abc", 0)
    for _ in posts:
        who, events, _ = turns.take()
        others = [had[one] for one in "abc" if one != who and waiting[one]]
        assert had[who] <= min(others, default=had[who])
        had[who] += events
        waiting[who] -= 1


def test_a_partner_that_was_silent_has_no_credit_for_it() -> None:
    turns: Turns[str] = Turns()
    for place in range(10):
        turns.put(KENT, 100, f"kent {place}")
    for _ in range(5):
        turns.take()
    for place in range(3):
        turns.put(EEN, 100, f"een {place}")
    assert [turns.take()[2] for _ in range(4)] == ["een 0", "kent 5", "een 1", "kent 6"]


@dataclasses.dataclass
class Idle:
    """A hub whose intake does not write yet, and how many events it had before."""

    spine: Spine
    before: int

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Its writer at work."""
        writer = asyncio.ensure_future(self.spine.hub.intake.run())
        try:
            yield
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Idle]:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        intake = Intake(spine.hub.store, spine.hub.vault)
        yield Idle(Spine(dataclasses.replace(spine.hub, intake=intake)), (await spine.counts())["inbox"])


async def until_queued(idle: Idle, events: int) -> None:
    async def queued() -> bool:
        return idle.spine.hub.intake.queued_events >= events

    await soon(queued)


async def test_a_flood_of_batches_delays_the_event_of_another_by_one_group(idle: Idle) -> None:
    kent, normandy = partner(KENT), partner(NORMANDY)
    flood = [
        asyncio.ensure_future(idle.spine.post(kent, *(service(kent, f"{batch}-{n}") for n in range(500))))
        for batch in range(8)
    ]
    await until_queued(idle, 4_000)
    single = asyncio.ensure_future(idle.spine.post(normandy, service(normandy)))
    async with idle.writing():
        [receipt] = await single
        assert receipt.seq - idle.before <= 501
        await asyncio.gather(*flood)


async def test_a_flood_of_single_events_delays_the_event_of_another_by_one_group(idle: Idle) -> None:
    kent, normandy = partner(KENT), partner(NORMANDY)
    flood = [
        asyncio.ensure_future(idle.spine.post(kent, service(kent, f"{n}")))
        for n in range(GROUP_EVENTS_MAX * 3)
    ]
    await until_queued(idle, GROUP_EVENTS_MAX * 3)
    async with idle.writing():
        [receipt] = await idle.spine.post(normandy, service(normandy))
        assert receipt.seq - idle.before <= GROUP_EVENTS_MAX + 2
        own = [receipt.seq for [receipt] in await asyncio.gather(*flood)]
        assert own == sorted(own), "the order of one partner's posts changed"


async def test_a_partner_fills_its_own_share_and_all_together_the_queue(idle: Idle) -> None:
    hub = idle.spine.hub
    intake = Intake(hub.store, hub.vault, queue_events_max=80)
    idle.spine = Spine(dataclasses.replace(hub, intake=intake))
    posts = {
        who: [
            asyncio.ensure_future(
                idle.spine.post(partner(who), *(service(partner(who), f"{batch}-{n}") for n in range(10)))
            )
            for batch in range(4)
        ]
        for who in (KENT, NORMANDY)
    }
    await until_queued(idle, 80)
    with pytest.raises(Rejected) as caught:
        await idle.spine.post(partner(KENT), service(partner(KENT), "one more"))
    assert (caught.value.status, caught.value.code) == (429, "quota.exceeded")
    with pytest.raises(Rejected) as caught:
        await idle.spine.post(partner(EEN), service(partner(EEN)))
    assert (caught.value.status, caught.value.code) == (503, "hub.unavailable")
    async with idle.writing():
        await asyncio.gather(*posts[KENT], *posts[NORMANDY])
        assert len(await idle.spine.post(partner(EEN), service(partner(EEN)))) == 1
