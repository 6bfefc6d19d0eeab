"""Referrals as a viewer may see them: who is a party is decided in SQL, what it may read by the domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, literal, or_, select, tuple_

from hub.domain.consents import Consent
from hub.domain.firms import readable_partners
from hub.domain.record import KeyState
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.viewer import Viewer
from hub.store import pages
from hub.store.firms import FirmView, known_firm, party_labels, visible_firms
from hub.store.lookup import Lookup
from hub.store.newest import Way, newest
from hub.store.probe import there_is
from hub.store.records import decode, load_states
from hub.store.search import sortable_time
from hub.store.tables import String, record, referral_party, referral_row
from hub.store.vault import Subject, Vault, unseal

LINKED_MAX = 100
"""Parts of one referral, or referrals of one firm, that are listed: the latest ones."""
Name = tuple[str, str]
"""A referral's name in stores: surrogate of its firm, and id. Ids alone are the senders' own choice."""
SORT = "referrals"
ORDER = (
    pages.Order(referral_party.c.updated_at, str, descending=True),
    pages.Order(referral_party.c.id, str, descending=True),
    # Two firms may have referrals of one id, changed in one commit; no two have one version.
    pages.Order(referral_party.c.version, int, descending=True),
)


@dataclass(frozen=True, slots=True)
class ReferralFilter:
    """Members are AND, values of one member OR; None and an empty list restrict nothing.

    role: "requester" or "owner" of the partners named, else of the viewer's. sme: wire id.
    """

    state: Sequence[str] | None = None
    partner: Sequence[str] | None = None
    role: str | None = None
    network: Sequence[str] | None = None
    sme: str | None = None
    service: str | None = None
    updated_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReferralView:
    """A referral with what the viewer may read of its firm now.

    roles: what the viewer is to it: requester, owner, pool, manager. sme, message, reason_text: None
    without the right to read them.
    """

    key: str
    referral: Referral
    version: int
    roles: frozenset[str]
    sme: FirmView | None
    message: str | None
    reason_text: str | None

    @property
    def name(self) -> Name:
        """Its name in stores."""
        return self.key, self.referral.id

    @property
    def place(self) -> pages.Key:
        """Where it stands in a list, as in ORDER."""
        return sortable_time(self.referral.updated_at), self.referral.id, self.version


def find_referrals(
    conn: Connection,
    viewer: Viewer,
    vault: Vault,
    *,
    filter: ReferralFilter,
    first: int,
    after: str | None,
    counted: bool = False,
) -> pages.Page[ReferralView] | Refusal:
    """Referrals that the viewer is a party to, newest update first. Refusal: first or after is wrong."""
    key = pages.decode_cursor(after, SORT, ORDER) if after is not None else None
    for refusal in (pages.first_refusal(first), pages.criteria_refusal(filter), key):
        if isinstance(refusal, Refusal):
            return refusal
    labels = viewer.labels if filter.sme is None else party_labels(viewer)
    listed = _listed(conn, viewer, vault, filter)
    after_key = key if isinstance(key, tuple) else None
    found = newest(conn, _ways(labels, listed, filter.state, after_key), first + 1)
    names = [(firm, id_) for _, id_, _, firm in found]
    views = get_referrals(conn, viewer, vault, names[:first])
    nodes = [views[name] for name in names[:first]]
    return pages.Page(
        nodes=nodes,
        cursors=[pages.encode_cursor(SORT, one.place) for one in nodes],
        has_next=len(names) > first,
        has_previous=after_key is not None,
        total=_count(conn, labels, listed, filter.state) if counted else None,
        version=pages.projection_version(conn),
    )


def get_referral(conn: Connection, viewer: Viewer, vault: Vault, id_: str) -> ReferralView | None:
    """The referral of that id; None when there is none that the viewer is a party to.

    Where several firms have a referral of one id, the first that came counts.
    """
    rows = list(_SEEN_BY_ID.rows(conn, viewer.labels, id=id_))
    first = min(rows, key=lambda row: (decode(Referral, row.doc).created_at, row.version), default=None)
    return _views(conn, viewer, vault, [first])[0] if first else None


def get_referrals(
    conn: Connection, viewer: Viewer, vault: Vault, names: Iterable[Name]
) -> dict[Name, ReferralView]:
    """Those of the referrals that the viewer is a party to."""
    named = tuple_(referral_row.c.firm, referral_row.c.id).in_(sorted(set(names)))
    rows = conn.execute(_with_record().where(named, visible_referrals(viewer.labels))).all()
    return {one.name: one for one in _views(conn, viewer, vault, rows)}


def children_of(
    conn: Connection, viewer: Viewer, vault: Vault, parents: Iterable[Name]
) -> dict[Name, list[ReferralView]]:
    """Parts of each referral, those that the viewer is a party to as well, in order of creation."""
    names = sorted(set(parents))
    part_of = tuple_(referral_row.c.firm, referral_row.c.part_of).in_(names)
    firms = referral_row.c.firm.in_({key for key, _ in names})
    rows = conn.execute(_with_record().where(firms, part_of, visible_referrals(viewer.labels))).all()
    found: dict[Name, list[ReferralView]] = defaultdict(list)
    for one in sorted(_views(conn, viewer, vault, rows), key=lambda one: one.referral.created_at):
        found[one.key, one.referral.part_of or ""].append(one)
    return {name: children[-LINKED_MAX:] for name, children in found.items()}


def referrals_of(
    conn: Connection, viewer: Viewer, vault: Vault, keys: Iterable[str]
) -> dict[str, list[ReferralView]]:
    """Referrals of firms (surrogates) that the viewer may read, latest update first.

    One that is merely offered in a pool is left out: until it is claimed, nobody learns whose it is.
    """
    of_firms = referral_row.c.firm.in_(sorted(set(keys)))
    query = _with_record().where(of_firms, visible_referrals(party_labels(viewer)))
    found: dict[str, list[ReferralView]] = defaultdict(list)
    for one in _views(conn, viewer, vault, conn.execute(query).all()):
        found[one.key].append(one)
    return {
        key: sorted(views, key=lambda one: one.place, reverse=True)[:LINKED_MAX]
        for key, views in found.items()
    }


def visible_referrals(labels: Iterable[str]) -> ColumnElement[bool]:
    """Visibility, in the statement itself: page, count and get cannot differ."""
    party = referral_party.c
    ours = select(party.firm, party.id).where(party.label.in_(sorted(labels)))
    return there_is(ours.where(party.firm == referral_row.c.firm, party.id == referral_row.c.id))


def _with_record() -> Select[Any]:
    return select(referral_row.c.firm, record.c.doc, record.c.version).join(
        record,
        and_(
            record.c.key == referral_row.c.firm,
            record.c.kind == Referral.kind,
            record.c.id == referral_row.c.id,
        ),
    )


# One row for each label of the viewer's that is a party to it.
_SEEN_BY_ID = Lookup(
    _with_record()
    .join(
        referral_party,
        and_(referral_party.c.firm == referral_row.c.firm, referral_party.c.id == referral_row.c.id),
    )
    .where(referral_row.c.id == bindparam("id", type_=String)),
    referral_party.c.label,
)


def _ways(
    labels: frozenset[str], listed: Select[Any], states: Sequence[str] | None, key: pages.Key | None
) -> list[Way]:
    """Ways to a page: by label and time, and where states are asked for by these as well."""
    party, order = referral_party.c, [one.column for one in ORDER]
    rows = listed.with_only_columns(*order, party.firm)
    if key:
        rows = rows.where(tuple_(*order) < tuple_(*(literal(part) for part in key)))
    by_state = [rows.where(party.state == state) for state in sorted(set(states or ()))]
    return [Way(party.label, labels, one) for one in by_state or [rows]]


def _count(conn: Connection, labels: Iterable[str], listed: Select[Any], states: Sequence[str] | None) -> int:
    party = referral_party.c
    rows = listed.where(party.label.in_(sorted(labels)))
    return pages.count_of(conn, (rows.where(party.state.in_(states)) if states else rows).distinct())


def _listed(conn: Connection, viewer: Viewer, vault: Vault, filter: ReferralFilter) -> Select[Any]:
    """Names of referrals by the rows of their parties, by all of the filter but states."""
    row, party = referral_row.c, referral_party.c
    # Stakes have no time.
    since = sortable_time(filter.updated_after) if filter.updated_after else ""
    listed = select(party.firm, party.id).where(party.updated_at > since)
    wanted: list[ColumnElement[bool]] = []
    if filter.network:
        wanted.append(row.network.in_(list(filter.network)))
    if filter.partner or filter.role:
        own = [viewer.principal.partner] if viewer.principal.partner else []
        partners = list(filter.partner or own)
        columns = [row[filter.role]] if filter.role else [row.requester, row.owner]
        wanted.append(or_(*(column.in_(partners) for column in columns)))
    if filter.service is not None:
        wanted.append(row.service == filter.service)
    if filter.sme is not None:
        states = load_states(conn, known_firm(conn, viewer, vault, filter.sme))
        # Whose case it is must not be found out by asking for firms one by one: an offer in a pool does
        # not count, and a firm that the viewer may not read is answered like one that nobody knows.
        readable = visible_firms(conn, replace(viewer, glass=False), vault, states)
        listed = listed.where(party.firm.in_(list(readable)))
    if wanted:
        named = and_(row.firm == party.firm, row.id == party.id)
        listed = listed.join(referral_row, named).where(*wanted)
    return listed


def _views(conn: Connection, viewer: Viewer, vault: Vault, rows: Sequence[Any]) -> list[ReferralView]:
    """Views of rows of `_with_record`, in their order."""
    states = load_states(conn, {row.firm for row in rows})
    smes = visible_firms(conn, viewer, vault, states)
    subjects = vault.by_surrogate(conn, states)
    return [_view(viewer, row, states[row.firm], smes.get(row.firm), subjects) for row in rows]


def _view(
    viewer: Viewer, row: Any, state: KeyState, sme: FirmView | None, subjects: dict[str, Subject]
) -> ReferralView:
    referral = decode(Referral, row.doc)
    party = viewer.reader.is_party(referral)
    readable = party and _may_read_texts(viewer, state, referral)
    message = referral.message if readable else None
    reason_text = referral.reason.text if readable and referral.reason else None
    return ReferralView(
        key=row.firm,
        referral=referral,
        version=row.version,
        roles=_roles(viewer, referral),
        sme=sme if party else None,
        message=message and unseal(message, subjects),
        reason_text=reason_text and unseal(reason_text, subjects),
    )


def _may_read_texts(viewer: Viewer, state: KeyState, referral: Referral) -> bool:
    """Whether the viewer wrote the request, or may read what its writer or the consent's sender knows.

    A registration of the viewer's own is not enough: what several partners know of a firm stands apart.
    """
    if viewer.principal.partner == referral.requester:
        return True
    consent = state.get(Consent, referral.consent)
    sources = {referral.requester} | ({consent.partner} if consent else set())
    opened = readable_partners(state, viewer.reader, "identity", viewer.at, viewer.networks_of)
    return not sources.isdisjoint(opened)


def _roles(viewer: Viewer, referral: Referral) -> frozenset[str]:
    """What the viewer is to the referral, as the fold of moves judges it."""
    reader, roles = viewer.reader, set[str]()
    if reader.partner:
        roles |= referral.roles(reader.partner)
        if referral.is_in_pool and referral.network in reader.networks:
            roles.add("pool")
    if viewer.principal.manages(referral.network):
        roles.add("manager")
    return frozenset(roles)
