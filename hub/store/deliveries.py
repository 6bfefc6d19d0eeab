"""What partners wrote to their own topics, place by place, and what became of each message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, select, tuple_

from hub.domain.refusal import Refusal
from hub.store.bulk import write_rows
from hub.store.lookup import Lookup
from hub.store.tables import delivery
from hub.store.vault import Vault

ACCEPTED, REFUSED, PARKED = "accepted", "refused", "parked"
TOPIC_PREFIX = "in."
_NAME = re.compile(r"in\.([^/]+)/(\d{1,9})/(\d{1,18})@([^/@]+)", re.ASCII)

_PLACE = (delivery.c.partner, delivery.c.topic_id, delivery.c.partition, delivery.c.log_offset)
_KNOWN = Lookup(select(*_PLACE), *_PLACE)

_OLD, _LATER = delivery.alias("old"), delivery.alias("later")
_NEXT_PARTNER = select(func.min(delivery.c.partner)).where(delivery.c.partner > bindparam("after"))
_NEWEST = (
    select(func.max(_LATER.c.log_offset))
    .where(
        _LATER.c.partner == _OLD.c.partner,
        _LATER.c.topic_id == _OLD.c.topic_id,
        _LATER.c.partition == _OLD.c.partition,
    )
    .scalar_subquery()
)
_FORGET = delete(delivery).where(
    tuple_(*_PLACE).in_(
        select(*(_OLD.c[one.name] for one in _PLACE))
        .where(
            _OLD.c.partner == bindparam("of"), _OLD.c.at < bindparam("before"), _OLD.c.log_offset < _NEWEST
        )
        .order_by(_OLD.c.at)
        .limit(bindparam("most"))
    )
)


class Place(NamedTuple):
    """Where a message stood. topic_id: a topic that was deleted and made again is another one."""

    partner: str
    topic_id: str
    partition: int
    log_offset: int

    @property
    def name(self) -> str:
        """As parked messages are named."""
        return f"{TOPIC_PREFIX}{self.partner}/{self.partition}/{self.log_offset}@{self.topic_id}"


def place_named(name: str) -> Place | None:
    """The place of that name; None for one of a topic that is no partner's."""
    found = _NAME.fullmatch(name)
    return Place(found[1], found[4], int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the message at a place.

    seqs: of its events, in order; empty unless accepted. refusal: None when accepted. at: RFC 3339.
    """

    place: Place
    status: str
    at: str
    seqs: Sequence[int] = ()
    refusal: Refusal | None = None


def known_places(conn: Connection, places: Iterable[Place]) -> set[Place]:
    """Those of the places whose message was dealt with before."""
    return {
        Place(row.partner, row.topic_id, row.partition, row.log_offset) for row in _KNOWN.rows(conn, places)
    }


def save_deliveries(conn: Connection, vault: Vault, deliveries: Sequence[Delivery]) -> None:
    """Write down what became of messages, in the transaction in which it did; anew for those replayed.

    What a refusal says is sealed under the hub's own key: it may name a firm.
    """
    rows = [
        {
            **one.place._asdict(),
            "seqs": json.dumps(list(one.seqs)) if one.seqs else None,
            "problem": _problem(vault, one),
            "at": one.at,
        }
        for one in deliveries
    ]
    write_rows(conn, delivery, rows, update=("seqs", "problem", "at"))


def next_offset(conn: Connection, partner: str, topic_id: str, partition: int) -> int | None:
    """The offset after the last message that was dealt with; None when there was none."""
    last = select(func.max(delivery.c.log_offset)).where(
        delivery.c.partner == partner,
        delivery.c.topic_id == topic_id,
        delivery.c.partition == partition,
    )
    found = conn.execute(last).scalar_one()
    return None if found is None else int(found) + 1


def forget_deliveries(conn: Connection, before: str, most: int) -> int:
    """Forget what became of messages before then (RFC 3339), but for the last of each partition.

    most: at once, so that nobody waits long for it. How many it were: fewer than most when none is left.
    """
    forgotten, partner = 0, conn.execute(_NEXT_PARTNER, {"after": ""}).scalar()
    # Partner by partner, along the index that is there for the newest: one by time alone would be written
    # with every message.
    while partner is not None and forgotten < most:
        old = {"of": partner, "before": before, "most": most - forgotten}
        forgotten += conn.execute(_FORGET, old).rowcount
        partner = conn.execute(_NEXT_PARTNER, {"after": partner}).scalar()
    return forgotten


def find_delivery(
    conn: Connection, vault: Vault, partner: str, partition: int, log_offset: int
) -> Delivery | None:
    """What became of a message of the partner's present topic; None when it was not read yet."""
    newest = (
        select(delivery.c.topic_id)
        .where(delivery.c.partner == partner)
        .order_by(delivery.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return _one(conn, vault, _at(partner, newest, partition, log_offset))


def delivery_at(conn: Connection, vault: Vault, place: Place) -> Delivery | None:
    """What became of the message at a place; None when it was not read yet."""
    return _one(conn, vault, _at(*place))


def _at(partner: str, topic_id: Any, partition: int, log_offset: int) -> ColumnElement[bool]:
    return and_(
        delivery.c.partner == partner,
        delivery.c.topic_id == topic_id,
        delivery.c.partition == partition,
        delivery.c.log_offset == log_offset,
    )


def _one(conn: Connection, vault: Vault, wanted: ColumnElement[bool]) -> Delivery | None:
    row = conn.execute(select(delivery).where(wanted)).one_or_none()
    if row is None:
        return None
    place = Place(row.partner, row.topic_id, row.partition, row.log_offset)
    if row.problem is None:
        return Delivery(place, ACCEPTED, row.at, tuple(json.loads(row.seqs)))
    problem = json.loads(vault.open_parked(place.name, row.problem))
    return Delivery(place, problem.pop("status"), row.at, refusal=Refusal(**problem))


def _problem(vault: Vault, one: Delivery) -> bytes | None:
    if one.refusal is None:
        return None
    problem = json.dumps({"status": one.status, **asdict(one.refusal)})
    return vault.seal_parked(one.place.name, problem.encode())
