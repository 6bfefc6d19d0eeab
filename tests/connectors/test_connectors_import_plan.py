"""What an import decides to do, before anything is sent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from hub.connectors.base import OPPORTUNITY_PUBLISHED, SERVICE_PUBLISHED, Rejected, Row
from hub.connectors.importer import Listed, Report, expired, plan_import
from hub.connectors.session import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, PAUSE_S_MAX, batches, pause_s
from hub.domain.services import content_hash, service_id

FEED = "/partners/partner/import/spreadsheet"


def row(key: str, name: str = "Workshop") -> Row:
    data = {"own_id": key, "name": {"en": name}}
    return Row(int(key), key, SERVICE_PUBLISHED, service_id("partner", key), data)


def listed(of: Row, feed: str = FEED) -> Listed:
    return Listed(of.subject, str(of.key), of.type, content_hash(of.data), feed)


def test_row_that_the_hub_lacks_is_new() -> None:
    plan = plan_import([row("1")], [], [], FEED)
    assert [one.key for one in plan.new] == ["1"]
    assert (plan.changed, plan.unchanged, plan.withdrawn, plan.kept) == ((), 0, (), 0)


def test_same_file_again_changes_nothing() -> None:
    rows = [row("1"), row("2")]
    plan = plan_import(rows, [], [listed(one) for one in rows], FEED)
    assert (plan.new, plan.changed, plan.unchanged, plan.withdrawn) == ((), (), 2, ())


def test_order_of_members_is_no_change() -> None:
    one = row("1")
    turned = Row(1, one.key, one.type, one.subject, dict(reversed(one.data.items())))
    assert plan_import([turned], [], [listed(one)], FEED).unchanged == 1


def test_going_back_to_an_earlier_state_is_a_change() -> None:
    earlier, later = row("1", "Earlier"), row("1", "Later")
    assert plan_import([later], [], [listed(earlier)], FEED).changed == (later,)
    assert plan_import([earlier], [], [listed(later)], FEED).changed == (earlier,)


def test_record_of_the_feed_that_is_gone_from_the_file_is_withdrawn() -> None:
    gone = listed(row("2"))
    plan = plan_import([row("1")], [], [listed(row("1")), gone], FEED)
    assert plan.withdrawn == (gone,)


def test_record_of_another_feed_is_left_alone() -> None:
    other = listed(row("2"), feed="/partners/partner/crm")
    assert plan_import([row("1")], [], [other], FEED).withdrawn == ()


def test_record_whose_row_was_rejected_is_not_withdrawn() -> None:
    kept = row("2")
    rejected = Rejected(3, "Type de service", "?", "!", subject=kept.subject)
    assert plan_import([row("1")], [rejected], [listed(kept)], FEED).withdrawn == ()


def test_unknown_column_does_not_stop_withdrawals() -> None:
    gone = listed(row("2"))
    plan = plan_import([row("1")], [Rejected(1, "Notes", "?", "!")], [gone], FEED)
    assert (plan.withdrawn, plan.kept) == ((gone,), 0)


def test_nothing_is_withdrawn_when_records_may_be_hidden() -> None:
    hidden = Rejected(3, "Référence", "?", "!", unread=True)
    plan = plan_import([row("1")], [hidden], [listed(row("2")), listed(row("3"))], FEED)
    assert (plan.withdrawn, plan.kept) == ((), 2)


def test_file_without_a_readable_row_withdraws_nothing() -> None:
    plan = plan_import([], [], [listed(row("2"))], FEED)
    assert (plan.withdrawn, plan.kept) == ((), 1)


@pytest.mark.parametrize(
    ("data", "is_expired"),
    [
        ({"published_on": "2026-01-01", "expires_on": "2026-11-21"}, True),
        ({"published_on": "2026-01-01", "expires_on": "2026-11-22"}, False),
        ({"published_on": "2025-11-21"}, True),
        ({"published_on": "2025-11-22"}, False),
    ],
)
def test_profile_is_expired_from_the_day_after_its_last(data: dict[str, str], is_expired: bool) -> None:
    profile = Row(1, "BO", OPPORTUNITY_PUBLISHED, "a-profile", data)
    found = expired([row("1"), profile], date(2026, 11, 22))
    assert found == (("a-profile",) if is_expired else ())


def test_report_has_the_members_of_the_contract() -> None:
    report = Report(new=1, changed=2, unchanged=3, withdrawn=4)
    report.rejected.append(Rejected(5, "Coût", "m", "r", subject="s", unread=True))
    assert report.as_json() == {
        "new": 1,
        "changed": 2,
        "unchanged": 3,
        "withdrawn": 4,
        "rejected": [{"row": 5, "field": "Coût", "message": "m", "remedy": "r"}],
    }


def test_batches_hold_every_event_once_in_order_within_both_limits() -> None:
    sizes = [100] * 450 + [1_500_000, 1_500_000, 200_000, 5_000_000, 10]
    encoded = [json.dumps("x" * (size - 2)).encode() for size in sizes]
    found = list(batches(encoded))
    assert [place for batch in found for place in batch] == list(range(len(sizes)))
    assert all(len(batch) <= BATCH_EVENTS_MAX for batch in found)
    for batch in found:
        body = b"[" + b",".join(encoded[place] for place in batch) + b"]"
        assert len(body) <= BATCH_BYTES_MAX or len(batch) == 1
    assert len(found) == 6


def test_no_event_makes_no_batch() -> None:
    assert list(batches([])) == []


@pytest.mark.parametrize(
    ("header", "attempt", "pause"),
    [
        ("7", 1, 7.0),
        ("0", 3, 0.0),
        ("86400", 1, PAUSE_S_MAX),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 1, 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 1, 0.0),
        ("soon", 1, 0.5),
        ("-5", 2, 1.0),
        (None, 1, 0.5),
        (None, 4, 4.0),
        (None, 40, PAUSE_S_MAX),
    ],
)
def test_pause_is_what_the_hub_asks_for_within_bounds(header: str | None, attempt: int, pause: float) -> None:
    assert pause_s(header, attempt, datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) == pause
