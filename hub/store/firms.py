"""Firms and their roadmaps as a viewer may see them; what is sealed about them is opened here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, null, select

from hub.domain.breakglass import BreakGlass, open_to
from hub.domain.firms import (
    Contact,
    Reader,
    RegisterNumber,
    Registration,
    readable_partners,
    readable_registration,
)
from hub.domain.record import KeyState
from hub.domain.referrals import POOL_PREFIX
from hub.domain.refusal import Refusal
from hub.domain.roadmaps import Roadmap
from hub.domain.viewer import Opening, Viewer
from hub.store.pages import (
    Key,
    Order,
    Page,
    decode_cursor,
    encode_cursor,
    first_refusal,
    projection_version,
)
from hub.store.parts import parts
from hub.store.probe import there_is
from hub.store.records import load_states
from hub.store.search import fold, search_words, sortable_time
from hub.store.tables import record, referral_party, subject_key
from hub.store.vault import Subject, Vault, unseal

SORT = "firms"
# Names are sealed, so that firms are searched and sorted here: the database has no column to sort by.
ORDER = (Order(null(), str, descending=True), Order(null(), str, descending=True))


@dataclass(frozen=True, slots=True)
class FirmView:
    """A firm that the viewer may read, as one partner registered it.

    key: surrogate, never shown. id: wire id. contacts: None where the viewer may not read them. openings:
    emergency accesses under which it is shown, to be recorded before anybody gets it.
    """

    key: str
    id: str
    registration: Registration
    name: str | None
    identifier: RegisterNumber | None
    contacts: list[Contact] | None
    openings: tuple[Opening, ...] = ()

    @property
    def place(self) -> Key:
        """Where the firm stands in a list: the latest registration first, then by id."""
        return sortable_time(self.registration.updated_at), self.id


@dataclass(frozen=True, slots=True)
class RoadmapView:
    """A roadmap that the viewer may read. key: the firm's surrogate; notes: by version, None where absent."""

    key: str
    roadmap: Roadmap
    sme: FirmView | None
    notes: Mapping[int, str | None]


def party_labels(viewer: Viewer) -> frozenset[str]:
    """What the viewer answers to as a party; to be offered a case in a pool opens nothing of the firm."""
    return frozenset(label for label in viewer.labels if not label.startswith(POOL_PREFIX))


def states_of(conn: Connection, keys: Iterable[str]) -> Iterator[dict[str, KeyState]]:
    """State of each firm, in parts that a statement can carry."""
    wanted = sorted(set(keys))
    for part in parts(wanted):
        yield load_states(conn, part)


def visible_firms(
    conn: Connection, viewer: Viewer, vault: Vault, states: Mapping[str, KeyState]
) -> dict[str, FirmView]:
    """Those of the firms that the viewer may read now, by surrogate; erased firms are absent."""
    found = {}
    for key, state in states.items():
        reader, at = viewer.reader_through_glass, viewer.at
        registration = readable_registration(state, reader, "identity", at, viewer.networks_of)
        if registration:
            found[key] = registration
    wire_ids = vault.wire_ids(conn, found)
    subjects = vault.by_surrogate(conn, wire_ids)
    return {
        key: _view(viewer, key, wire_ids[key], states[key], registration, subjects)
        for key, registration in found.items()
        if key in wire_ids
    }


def find_firms(
    conn: Connection, viewer: Viewer, vault: Vault, *, search: str | None, first: int, after: str | None
) -> Page[FirmView] | Refusal:
    """Firms that the viewer registered or may read now, the latest registration first.

    search: every word must occur in the name, whatever case and accents. Refusal: first or after is wrong.
    """
    key = decode_cursor(after, SORT, ORDER) if after is not None else None
    words = search_words(search)
    if isinstance(words, Refusal):
        return words
    for refusal in (first_refusal(first), key):
        if isinstance(refusal, Refusal):
            return refusal
    views: list[FirmView] = []
    for states in states_of(conn, _known_firms(conn, viewer)):
        views += visible_firms(conn, viewer, vault, states).values()
    if words:
        views = [one for one in views if all(word in fold(one.name or "") for word in words)]
    views.sort(key=lambda one: one.place, reverse=True)
    rest = [one for one in views if not isinstance(key, tuple) or one.place < key]
    return Page(
        nodes=rest[:first],
        cursors=[encode_cursor(SORT, one.place) for one in rest[:first]],
        has_next=len(rest) > first,
        has_previous=key is not None,
        total=len(views),
        version=projection_version(conn),
    )


def get_firm(conn: Connection, viewer: Viewer, vault: Vault, wire_id: str) -> FirmView | None:
    """The firm of that wire id; None for a firm that is unknown, erased or not open to the viewer."""
    states = load_states(conn, known_firm(conn, viewer, vault, wire_id))
    return next(iter(visible_firms(conn, viewer, vault, states).values()), None)


def get_roadmap(conn: Connection, viewer: Viewer, vault: Vault, id_: str) -> RoadmapView | None:
    """The roadmap of that id, if the viewer may read it.

    Ids are the senders' own: two firms may have roadmaps of one id, of which the viewer sees one.
    """
    named = record.c.kind == Roadmap.kind, record.c.id == id_, _is_known(viewer, record.c.key)
    keys = conn.execute(select(record.c.key).where(*named)).scalars()
    found = [one for one in visible_roadmaps(conn, viewer, vault, keys) if one.roadmap.id == id_]
    return min(found, key=lambda one: (one.roadmap.versions[0].agreed_on, one.key), default=None)


def roadmaps_of(
    conn: Connection, viewer: Viewer, vault: Vault, keys: Iterable[str]
) -> dict[str, list[RoadmapView]]:
    """Roadmaps that the viewer may read, by firm (surrogate), the latest agreement first."""
    found: dict[str, list[RoadmapView]] = defaultdict(list)
    for one in visible_roadmaps(conn, viewer, vault, keys):
        found[one.key].append(one)
    for roadmaps in found.values():
        roadmaps.sort(key=lambda one: (one.roadmap.current.agreed_on, one.roadmap.id), reverse=True)
    return found


def may_read_roadmap(viewer: Viewer, state: KeyState, roadmap: Roadmap) -> bool:
    """Whether the viewer wrote the roadmap, or agreed to it and a live consent still joins it to the writer.

    They are joined where both know the firm from one partner: the reader by a consent that names the
    category roadmap. A registration that the reader makes for itself opens nothing that others wrote.
    """
    partner = viewer.principal.partner
    if partner is None or not roadmap.is_shared_with(partner):
        return False
    if partner == roadmap.partner:
        return True
    writer = Reader(roadmap.partner, viewer.networks_of.get(roadmap.partner, frozenset()))
    mine = readable_partners(state, viewer.reader, "roadmap", viewer.at, viewer.networks_of)
    theirs = readable_partners(state, writer, "identity", viewer.at, viewer.networks_of)
    return not set(mine).isdisjoint(theirs)


def visible_roadmaps(
    conn: Connection, viewer: Viewer, vault: Vault, keys: Iterable[str]
) -> list[RoadmapView]:
    """Those roadmaps of the firms (surrogates) that the viewer may read now, in no particular order."""
    found = []
    for states in states_of(conn, keys):
        smes, subjects = visible_firms(conn, viewer, vault, states), vault.by_surrogate(conn, states)
        found += [
            RoadmapView(
                key,
                roadmap,
                smes.get(key),
                {one.version: one.note and unseal(one.note, subjects) for one in roadmap.versions},
            )
            for key, state in states.items()
            for roadmap in state.all(Roadmap)
            if may_read_roadmap(viewer, state, roadmap)
        ]
    return found


def known_firm(conn: Connection, viewer: Viewer, vault: Vault, wire_id: str) -> list[str]:
    """The firm's surrogate, for a viewer that wrote something on it or has a case of it; else nothing.

    One statement, and nothing read or opened after it, whether a firm is unknown or somebody else's: how long
    an answer takes must not tell which.
    """
    found = select(subject_key.c.surrogate).where(
        subject_key.c.digest == vault.subject_digest(wire_id), _is_known(viewer, subject_key.c.surrogate)
    )
    return list(conn.execute(found).scalars())


def has_stake(labels: Iterable[str], firm: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the firm (a surrogate) or a case of it has one of the labels."""
    ours = select(referral_party.c.firm).where(referral_party.c.label.in_(sorted(labels)))
    return there_is(ours.where(referral_party.c.firm == firm))


def _is_known(viewer: Viewer, firm: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the viewer wrote something on the firm (a surrogate), or has a case of it."""
    return has_stake(party_labels(viewer), firm)


def _known_firms(conn: Connection, viewer: Viewer) -> set[str]:
    """Firms that the viewer wrote something on, or has a case of."""
    labels = party_labels(viewer)
    found = select(referral_party.c.firm).where(referral_party.c.label.in_(labels)).distinct()
    return set(conn.execute(found).scalars())


def _view(
    viewer: Viewer,
    key: str,
    wire_id: str,
    state: KeyState,
    registration: Registration,
    subjects: dict[str, Subject],
) -> FirmView:
    number = registration.identifier and unseal(registration.identifier, subjects)
    return FirmView(
        key=key,
        id=wire_id,
        registration=registration,
        name=registration.name and unseal(registration.name, subjects),
        identifier=RegisterNumber.model_validate(number) if number else None,
        contacts=_contacts(viewer, state, registration, subjects),
        openings=tuple(Opening(one.id, wire_id) for one in _open_to(viewer, state)),
    )


def _open_to(viewer: Viewer, state: KeyState) -> list[BreakGlass]:
    """Emergency accesses to the firm that are open to the viewer now: what it reads may be due to them."""
    actor = viewer.breaks_glass
    return list(open_to(state, actor, viewer.at)) if actor else []


def _contacts(
    viewer: Viewer, state: KeyState, registration: Registration, subjects: dict[str, Subject]
) -> list[Contact] | None:
    if not (viewer.may("referrals:contact") or _open_to(viewer, state)):
        return None
    # The persons of the registration that is shown: what several partners know stands apart.
    if registration.id not in readable_partners(
        state, viewer.reader_through_glass, "contact", viewer.at, viewer.networks_of
    ):
        return None
    contacts = unseal(registration.contacts, subjects) if registration.contacts else []
    return [Contact.model_validate(one) for one in contacts or []]
