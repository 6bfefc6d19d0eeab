"""All that is held on a firm or a person, in clear, for a copy that is given to them.

Who may have it is decided here as well: managers have firms of their networks, partners their own part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection, or_, select

from hub.domain.consents import NETWORK_PREFIX, Consent
from hub.domain.erasures import in_mandate
from hub.domain.firms import Category, Reader, Registration, readable_partners, readable_registration
from hub.domain.record import KeyState, Record
from hub.domain.references import ACCOUNT_PREFIX, PERSON_PREFIX, UNKNOWN_REFERRAL_PREFIX
from hub.domain.referrals import Referral
from hub.domain.roadmaps import Roadmap
from hub.domain.values import rfc3339
from hub.domain.viewer import Viewer
from hub.store.firms import has_stake, party_labels
from hub.store.inbox import last_seq
from hub.store.people import find_person, names
from hub.store.records import load_states
from hub.store.stakes import mandate_label
from hub.store.tables import inbox, leaf, subject_key, verdict
from hub.store.unsealing import cleared, unsealed_event
from hub.store.vault import Subject, Vault

VERSION = 1
PAGE_EVENTS = 200
WINDOW_EVENTS = 50_000
"""How many accepted events one statement looks at: it stays short, however many there are."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a copy begins with, and what its events are found by. sender: the one whose events alone count.

    wire_id: of the firm or person. subjects: by surrogate, those under whose keys something is sealed.
    networks: keys of the events that count, None for all.
    """

    head: dict[str, Any]
    wire_id: str
    subjects: Mapping[str, Subject]
    sender: str | None = None
    networks: frozenset[str] | None = None


def export_firm(conn: Connection, viewer: Viewer, vault: Vault, wire_id: str) -> Export | None:
    """What is held on a firm; None for a firm that is unknown, erased or not the viewer's to export."""
    surrogate = _held_firm(conn, viewer, vault, wire_id)
    if surrogate is None:
        return None
    found = vault.by_surrogate(conn, [surrogate])[surrogate]
    state = load_states(conn, [surrogate])[surrogate]
    partner = viewer.principal.partner
    if viewer.manages is not None:
        if "*" not in viewer.manages and not in_mandate(state, viewer.manages):
            return None
    elif partner is None or not _may_read(viewer, state):
        return None
    about = {UNKNOWN_REFERRAL_PREFIX + one.id for one in state.all(Referral)}
    spoken_of = [one for one in vault.subjects(conn, about).values() if one.cipher]
    subjects = {one.surrogate: one for one in (found, *spoken_of)}
    records = [one for one in state.records.values() if partner is None or _is_part_of(viewer, one)]
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in sorted(records, key=lambda one: (one.kind, one.id)):
        by_kind[one.kind].append(cleared(one.model_dump(mode="json", by_alias=True), subjects))
    head = {
        "version": VERSION,
        "exported_at": rfc3339(viewer.at),
        "sme_id": wire_id,
        "registrations": by_kind[Registration.kind],
        "consents": by_kind[Consent.kind],
        "visits": by_kind["visit"],
        "diagnoses": by_kind["diagnosis"],
        "roadmaps": by_kind[Roadmap.kind],
        "referrals": by_kind[Referral.kind],
        "recipients": _recipients(viewer, state) if partner is None else [],
    }
    return Export(head, wire_id, subjects, sender=partner)


def _held_firm(conn: Connection, viewer: Viewer, vault: Vault, wire_id: str) -> str | None:
    """Surrogate of a firm, not erased, that may be the viewer's to export: by its labels alone.

    One statement, and nothing read or opened after it, whether a firm is unknown or somebody else's, as in
    hub.store.firms: how long an answer takes must not tell which.
    """
    named = subject_key.c.digest == vault.subject_digest(wire_id), subject_key.c.wrapped_key.is_not(None)
    query = select(subject_key.c.surrogate).where(*named)
    if viewer.manages is None:
        query = query.where(has_stake(party_labels(viewer), subject_key.c.surrogate))
    elif "*" not in viewer.manages:
        mandates = map(mandate_label, viewer.manages)
        query = query.where(has_stake(mandates, subject_key.c.surrogate))
    return conn.execute(query).scalar()


def export_person(conn: Connection, viewer: Viewer, vault: Vault, person_id: str) -> Export | None:
    """What is held on a person; None for one that is unknown, erased or in none of the viewer's networks."""
    wire_ids = [PERSON_PREFIX + person_id, ACCOUNT_PREFIX + person_id]
    subjects = {one.surrogate: one for one in vault.subjects(conn, wire_ids).values() if one.cipher}
    if not subjects or viewer.manages is None:
        return None
    bound = None if "*" in viewer.manages else viewer.manages
    # Whoever may sign in is the operator's, and those managers' who have all networks.
    person = find_person(conn, person_id) if bound is None else None
    login = None
    if person:
        named = names(conn, vault, [person_id]).get(person_id)
        login = {
            "email": named and named.email,
            "name": named and named.name,
            "audience": person.audience.value,
            "partner": person.partner,
            "networks": None if person.networks is None else sorted(person.networks),
            "scopes": list(person.scopes),
            "created_at": person.created_at,
        }
    head = {
        "version": VERSION,
        "exported_at": rfc3339(viewer.at),
        "person_id": person_id,
        "login": login,
    }
    export = Export(head, person_id, subjects, networks=bound)
    return export if bound is None or _is_spoken_of(conn, export) else None


def _is_spoken_of(conn: Connection, export: Export) -> bool:
    after: int | None = 0
    while after is not None:
        found, after = export_events(conn, export, after)
        if found:
            return True
    return False


def export_events(
    conn: Connection, export: Export, after: int, window: int = WINDOW_EVENTS
) -> tuple[list[dict[str, Any]], int | None]:
    """Events that say something of the one exported, as accepted, beyond that seq; and where to go on.

    Every event is looked at for it: a firm's events stand under more than one key, and copies are rare.
    window: how many at a time; a page may be empty. None: there are no more.
    """
    query = (
        select(inbox, leaf.c.leaf_index, verdict.c.status, verdict.c.code)
        .outerjoin_from(inbox, leaf, leaf.c.seq == inbox.c.seq)
        .outerjoin(verdict, verdict.c.seq == inbox.c.seq)
        .where(inbox.c.seq > after, inbox.c.seq <= after + window)
        .where(or_(*(inbox.c.subjects.contains(one) for one in sorted(export.subjects))))
        .order_by(inbox.c.seq)
        .limit(PAGE_EVENTS)
    )
    if export.sender is not None:
        query = query.where(inbox.c.partner == export.sender)
    if export.networks is not None:
        query = query.where(inbox.c.key.in_(sorted(export.networks)))
    rows = conn.execute(query).all()
    events = [
        {
            "seq": row.seq,
            "leaf_index": row.leaf_index,
            "partner": row.partner,
            "client": row.client,
            "accepted_at": row.accepted_at,
            "status": row.status or "pending",
            "refused": row.code,
            "event": unsealed_event(row.type, row.event, export.subjects, export.wire_id),
        }
        for row in rows
    ]
    if len(rows) == PAGE_EVENTS:
        return events, rows[-1].seq
    return events, after + window if last_seq(conn) > after + window else None


def _may_read(viewer: Viewer, state: KeyState) -> bool:
    found = readable_registration(state, viewer.reader, "identity", viewer.at, viewer.networks_of)
    return found is not None


def _is_part_of(viewer: Viewer, record: Record) -> bool:
    """Whether a record is the partner's own, or one that it may read as it stands."""
    partner = viewer.principal.partner or ""
    if isinstance(record, Registration):
        return record.id == partner
    if isinstance(record, Consent):
        return record.partner == partner or viewer.reader.is_recipient(record)
    if isinstance(record, Referral):
        return record.requester == partner
    return getattr(record, "partner", None) == partner


def _recipients(viewer: Viewer, state: KeyState) -> list[dict[str, Any]]:
    """Partners that could see something of the firm: by what right, of which case, and what they read now."""
    return [_recipient(viewer, state, partner) for partner in sorted(_told(viewer, state))]


def _told(viewer: Viewer, state: KeyState) -> set[str]:
    told = {one.id for one in state.all(Registration)}
    for referral in state.all(Referral):
        told |= {referral.requester} | ({referral.owner} if referral.owner else set())
    for consent in state.all(Consent):
        told |= {consent.partner, *_named(viewer, consent.recipients)}
    for roadmap in state.all(Roadmap):
        told |= {roadmap.partner}.union(*(one.agreed_with for one in roadmap.versions))
    return told


def _named(viewer: Viewer, recipients: Iterable[str]) -> set[str]:
    """Partners that a list of recipients names now, networks by their members."""
    named = set(recipients)
    networks = {one.removeprefix(NETWORK_PREFIX) for one in named if one.startswith(NETWORK_PREFIX)}
    members = {slug for slug, of in viewer.networks_of.items() if not of.isdisjoint(networks)}
    return {one for one in named if not one.startswith(NETWORK_PREFIX)} | members


def _recipient(viewer: Viewer, state: KeyState, partner: str) -> dict[str, Any]:
    reader = Reader(partner, viewer.networks_of.get(partner, frozenset()))
    categories: tuple[Category, ...] = get_args(Category)
    readable = {
        category: readable_partners(state, reader, category, viewer.at, viewer.networks_of)
        for category in categories
    }
    cases = [(one.id, sorted(one.roles(partner))) for one in state.all(Referral) if one.roles(partner)]
    return {
        "partner": partner,
        "registered_it": state.get(Registration, partner) is not None,
        "named_by_consents": sorted(one.id for one in state.all(Consent) if reader.is_recipient(one)),
        "referrals": [{"id": id_, "roles": roles} for id_, roles in sorted(cases)],
        "reads_now": {
            category: [one for one in partners if state.get(Registration, one)]
            for category, partners in readable.items()
        },
    }
