"""Acceptance: a group of submissions in one transaction, each all or nothing.

Runs inside the intake's transaction, so that identities, references and keys are what they are in the
moment of the commit.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from hub.domain.opportunities import InterestExpressed
from hub.domain.partners import PartnerChanged
from hub.domain.record import Resolved
from hub.domain.references import UNKNOWN_REFERRAL_PREFIX, established
from hub.domain.scopes import Audience
from hub.domain.values import rfc3339
from hub.events.brought import creates, derived
from hub.events.check import Checked
from hub.events.mandate import check_references
from hub.events.rejection import FieldError, Rejected
from hub.events.sealing import seal_event
from hub.store import clients
from hub.store.acceptance import look_up, save_accepted
from hub.store.erasing import destroy_now
from hub.store.inbox import Identity, InboxRow
from hub.store.references import References
from hub.store.vault import Subject, Vault


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender gets for one event."""

    id: str
    source: str
    seq: int
    duplicate: bool


@dataclass(slots=True)
class _Group:
    """What one transaction knows and is about to write."""

    vault: Vault
    references: References
    subjects: dict[str, Subject]
    by_surrogate: dict[str, Subject]
    identities: dict[Identity, tuple[int, bytes]]
    at: datetime
    newest: int
    rows: list[InboxRow] = field(default_factory=list)
    accepted: dict[Identity, tuple[int, bytes]] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: list[tuple[str, bool]] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    accepted_at: str = field(init=False)

    def __post_init__(self) -> None:
        self.accepted_at = rfc3339(self.at)

    def subject(self, wire_id: str) -> Subject:
        """The subject of a wire id, made when it is new."""
        if wire_id not in self.subjects:
            subject, self.made[wire_id] = self.vault.make(wire_id)
            self.subjects[wire_id] = self.by_surrogate[subject.surrogate] = subject
        return self.subjects[wire_id]

    def snapshot(self) -> tuple[object, ...]:
        """What is about to be written, for `restore`."""
        kept = [self.subjects, self.identities, self.rows, self.accepted, self.made, self.status]
        return (self.references.mark(), *(copy.copy(one) for one in [*kept, self.erased]))

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Forget all that came after the snapshot."""
        self.references.undo(snapshot[0])
        _, self.subjects, self.identities, self.rows, self.accepted, *others = snapshot
        self.made, self.status, self.erased = others

    def save(self, conn: Connection) -> None:
        """Write it all: keys, events, and what follows from them."""
        save_accepted(conn, list(self.made.values()), self.rows, self.accepted, self.references)
        for partner, suspended in self.status:
            clients.set_suspended(conn, partner, suspended)
        destroy_now(conn, self.erased)


def accept(
    conn: Connection, vault: Vault, submissions: Sequence[Sequence[Checked]], at: datetime
) -> list[list[Receipt] | Rejected]:
    """Accept what can be accepted; an answer for each submission, in order."""
    group = _open_group(conn, vault, [event for submission in submissions for event in submission], at)
    answers: list[list[Receipt] | Rejected] = []
    for submission in submissions:
        # One event is refused before it leaves a trace; a batch may fail at its last event.
        snapshot = group.snapshot() if len(submission) > 1 else None
        try:
            answers.append([_accept_event(group, event) for event in submission])
        except Rejected as rejection:
            if snapshot:
                group.restore(snapshot)
            answers.append(rejection)
    group.save(conn)
    return answers


def _open_group(conn: Connection, vault: Vault, events: Sequence[Checked], at: datetime) -> _Group:
    names = [(named.kind, named.id) for event in events for named in event.references]
    names += [(event.noun, event.subject) for event in events if _noun_is_reference(event)]
    names += [
        (kind, event.subject)
        for event in events
        if event.noun in ("referral", "outcome")
        for kind in ("referral", "opened")
    ]
    names += [("visit", event.subject) for event in events if event.noun == "visit"]
    names += [
        (kind, id_) for event in events for id_ in derived(event).values() for kind in ("referral", "opened")
    ]
    merged = {
        (named.kind, named.id) for event in events if event.noun == "match" for named in event.references
    }
    members = {event.principal.identity for event in events} | {
        id_ for kind, id_ in names if kind == "partner"
    }
    wire_ids = {one for event in events for one in (*event.firms, *event.persons)}
    wire_ids |= {UNKNOWN_REFERRAL_PREFIX + id_ for kind, id_ in names if kind == "referral"}
    identities = [event.identity for event in events]
    before = look_up(conn, vault, names=names, members=members, wire_ids=wire_ids, identities=identities)
    references = before.references
    publishers = {
        owner
        for kind, id_ in names
        if kind == "opportunity" or (kind, id_) in merged
        for owner in references.publishers(kind, id_)
    }
    references.load(conn, [("partner", one) for one in publishers], publishers - members)
    targets = {target for _, id_ in names if (target := references.firm_of(id_))}
    named = {subject.surrogate: subject for subject in before.subjects.values()}
    return _Group(
        vault=vault,
        references=references,
        subjects=before.subjects,
        by_surrogate=vault.by_surrogate(conn, targets - named.keys()) | named,
        identities=before.identities,
        at=at,
        newest=before.newest,
    )


def _noun_is_reference(event: Checked) -> bool:
    return event.noun in ("service", "opportunity", "partner", "network")


def _accept_event(group: _Group, event: Checked) -> Receipt:
    partner, source, id_ = event.identity
    digest = group.vault.digest("content", event.content)
    before = group.identities.get(event.identity)
    if before is not None:
        if before[1] != digest:
            raise Rejected(
                409,
                "event.conflict",
                f"{id_[:200]} of {source} was accepted before with other content.",
                "Give a new event a new id; the first one stands.",
                [FieldError("/id", "was used for other content", event.index)],
            )
        return Receipt(id_, source, before[0], duplicate=True)
    check_references(group.references, event)
    _check_day(group, event)
    held = any(one in group.subjects for one in event.firms)
    firm = _firm(group, event)
    resolved = _resolve(group, event, firm, held)
    seq = group.newest + len(group.rows) + 1
    stored = seal_event(event, firm, group.subjects, group.accepted_at, seq)
    network = str(stored.data.get("network"))
    key = {"firm": firm.surrogate if firm else "", "network": network, "subject": event.subject}
    row = InboxRow(
        seq=seq,
        partner=partner,
        client=event.principal.client_id or "",
        type=event.type,
        topic=event.spec.topic,
        key=key[event.spec.key],
        subject=str(stored.attributes["subject"]),
        accepted_at=group.accepted_at,
        event=orjson.dumps({"attributes": stored.attributes, "data": stored.data}).decode(),
        resolved=resolved.model_dump_json(exclude_defaults=True),
        subjects=orjson.dumps(stored.subjects).decode(),
        salt=stored.salt,
        commitment=stored.commitment,
    )
    group.references.apply(
        established(event.type, event.subject, partner, event.payload, row.key, resolved.ids)
    )
    if firm and firm.cipher is None:
        group.erased += _spoken_of(group, {event.subject, *resolved.ids.values()}, firm)
    if event.noun == "partner":
        # Shut out, or let in again, by the commit that accepts the event.
        group.status.append((event.subject, group.references.owner("partner", event.subject) is None))
    group.rows.append(row)
    group.accepted[event.identity] = group.identities[event.identity] = (seq, digest)
    return Receipt(id_, source, seq, duplicate=False)


def _check_day(group: _Group, event: Checked) -> None:
    """A partner leaves, is suspended or comes back at once: such an event is not posted ahead of its day."""
    payload = event.payload
    if isinstance(payload, PartnerChanged) and payload.network is None and payload.on > group.at.date():
        raise Rejected(
            422,
            "payload.invalid",
            f"/data/on {payload.on} has not come yet.",
            "Post the event on that day, or name the network whose membership ends then.",
            [FieldError("/data/on", "has not come yet", event.index)],
        )


def _resolve(group: _Group, event: Checked, firm: Subject | None, held: bool) -> Resolved:
    """What stands under other keys now, kept beside the event for the fold."""
    principal, payload, day = event.principal, event.payload, group.at.date()
    partners = {principal.identity} | {named.id for named in event.references if named.kind == "partner"}
    owners: dict[str, str] = {}
    if isinstance(payload, InterestExpressed):
        owners = {event.subject: group.references.owner("opportunity", event.subject) or ""}
        partners |= set(owners.values())
    manages = sorted(principal.networks) if principal.networks is not None else ["*"]
    return Resolved(
        networks={slug: group.references.networks(slug, day) for slug in sorted(partners)},
        manages=manages if principal.audience is Audience.MANAGER else None,
        may=sorted(set(event.spec.scopes) & principal.scopes),
        owners=owners,
        ids=derived(event),
        other_firm=any(group.subjects[one] != firm for one in event.firms) if firm else False,
        taken=_is_taken(group, event, firm),
        held=held and event.noun == "sme" and event.what == "erased",
        names_erased=any(group.subjects[one].cipher is None for one in (*event.firms, *event.persons)),
    )


def _is_taken(group: _Group, event: Checked, firm: Subject | None) -> bool:
    """Whether the id that the sender chose was first used by another sender, or for another firm."""
    kinds = {"referral": ("opened", "referral"), "visit": ("visit",)}.get(event.noun, ())
    if firm is None or not (creates(event) or event.noun == "visit"):
        return False
    return group.references.is_taken(kinds, event.subject, event.principal.identity, firm.surrogate)


def _firm(group: _Group, event: Checked) -> Subject | None:
    """The firm that the event is about; makes the keys that firms and persons of the event still lack."""
    named = [group.subject(one) for one in (*event.firms, *event.persons)]
    if event.spec.key != "firm":
        return None
    if event.firms and (creates(event) or event.noun not in ("referral", "outcome")):
        return named[0]
    # The case of an existing referral is its firm's, whatever firm the sender names.
    target = group.references.firm_of(event.subject)
    if target:
        return group.by_surrogate[target]
    return named[0] if event.firms else group.subject(UNKNOWN_REFERRAL_PREFIX + event.subject)


def _spoken_of(group: _Group, referrals: set[str], firm: Subject) -> list[str]:
    """Keys of words on those referrals from before they came to the firm: they go with an erased one."""
    ours = (one for one in sorted(referrals) if group.references.firm_of(one) == firm.surrogate)
    found = [group.subjects.get(UNKNOWN_REFERRAL_PREFIX + one) for one in ours]
    return [one.surrogate for one in found if one and one.cipher]
