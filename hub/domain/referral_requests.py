"""The fold of new referrals: drafts, requests and expressions of interest, under a consent of the firm."""

from __future__ import annotations

from typing import Any

from hub.domain.consents import Consent
from hub.domain.firms import may_work_on
from hub.domain.marks import sealed
from hub.domain.opportunities import InterestExpressed
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.referral_moves import case_roles, illegal, not_found
from hub.domain.referrals import OPEN_STATES, TERMINAL_STATES, Referral, ReferralRequested
from hub.domain.refusal import Refusal
from hub.domain.roadmaps import Roadmap


def fold_requested(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Create a referral as a draft or a request, or request one's own draft."""
    data: ReferralRequested = event.data
    drafting = event.type == "hub.referral.drafted.v1"
    refusal = may_work_on(state, event) or (
        None if drafting else _consent_refusal(state, event, data.network, data.to, data.consent_id)
    )
    if refusal:
        return refusal
    before = state.get(Referral, event.subject)
    if event.resolved.taken or (before is not None and not case_roles(before, event)):
        return not_found(event.subject)
    if before is not None and (drafting or before.state != "draft" or before.requester != event.sender):
        return illegal(before, event)
    refusal = _linked_refusal(state, event, data) or (None if drafting else _duplicate(state, event, data))
    if refusal:
        return refusal
    return (
        Referral(
            id=event.subject,
            state="draft" if drafting else "requested",
            network=data.network,
            requester=event.sender,
            owner=data.to,
            service=data.service_id,
            opportunity=data.opportunity_id,
            consent=data.consent_id,
            priority=data.priority,
            needs=list(data.needs),
            message=sealed(data.message),
            part_of=data.part_of,
            based_on=data.based_on,
            action=data.action_id,
            created_at=before.created_at if before else event.at,
            updated_at=event.at,
        ),
    )


def fold_interest(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """An expression of interest in an opportunity opens a referral to its publisher."""
    data: InterestExpressed = event.data
    publisher, id_ = event.resolved.owners[event.subject], event.resolved.ids["referral"]
    refusal = may_work_on(state, event) or _consent_refusal(
        state, event, data.network, publisher, data.consent_id
    )
    if refusal:
        return refusal
    before = state.get(Referral, id_)
    if before is not None:
        if not case_roles(before, event):
            return not_found(id_)
        return _duplicate_of(before) if before.state in OPEN_STATES else _was_opened(before)
    return (
        Referral(
            id=id_,
            state="requested",
            network=data.network,
            requester=event.sender,
            owner=publisher,
            opportunity=event.subject,
            consent=data.consent_id,
            message=sealed(data.note),
            created_at=event.at,
            updated_at=event.at,
        ),
    )


def _was_opened(before: Referral) -> Refusal:
    """The answer to a party of the referral that stands under the id of an interest, and is not open."""
    return Refusal(
        "referral.illegal_move",
        f"Referral {before.id} of this firm on this opportunity is {before.state}, and is not begun again.",
        "Ask with hub.referral.requested.v1, the opportunity_id, and a UUID of your own.",
    )


def _consent_refusal(
    state: KeyState, event: Accepted[Any], network: str, to: str | None, consent_id: str | None
) -> Refusal | None:
    """Why the consent does not carry a referral from the sender to `to`, or to the open pool."""
    consent = state.get(Consent, consent_id)
    networks = event.resolved.networks
    usable = (
        consent is not None
        and consent.is_live(event.at)
        and "referral" in consent.purposes
        and (consent.partner == event.sender or consent.covers(event.sender, networks.get(event.sender, [])))
    )
    if usable and consent is not None:
        pool = f"network:{network}" in consent.recipients
        covered = pool if to is None else consent.covers(to, networks.get(to, []))
        if covered or (to is not None and to == consent.partner):
            return None
    whom = f"to {to}" if to else f"to the open pool of network:{network}"
    return Refusal(
        "consent.missing",
        f"No live consent {consent_id} of this firm covers a referral {whom}.",
        "Record the firm's consent with hub.consent.given.v1: purpose referral, and the recipient named.",
    )


def _linked_refusal(state: KeyState, event: Accepted[Any], data: ReferralRequested) -> Refusal | None:
    for linked in (data.part_of, data.based_on):
        if linked and not case_roles(state.get(Referral, linked), event):
            return not_found(linked)
    parent = state.get(Referral, data.part_of)
    if parent and event.subject in _with_ancestors(state, parent):
        return Refusal(
            "rule.violated",
            f"Referral {parent.id} is itself a part of {event.subject}.",
            "Leave part_of out, or name another referral.",
        )
    if parent and parent.state in TERMINAL_STATES:
        return Refusal(
            "rule.violated",
            f"Referral {parent.id} is {parent.state} and takes no more parts.",
            "Leave part_of out, or name an open referral.",
        )
    if data.action_id and not _has_action(state, event.sender, data.action_id):
        return Refusal(
            "rule.violated",
            f"No roadmap of the firm that you share has an action {data.action_id}.",
            "Leave action_id out, or agree the roadmap first.",
        )
    return None


def _with_ancestors(state: KeyState, referral: Referral) -> set[str]:
    """Ids of a referral and of all that it is a part of."""
    found: set[str] = set()
    next_: Referral | None = referral
    while next_ and next_.id not in found:
        found.add(next_.id)
        next_ = state.get(Referral, next_.part_of)
    return found


def _has_action(state: KeyState, sender: str, action: str) -> bool:
    return any(
        action == one.id
        for roadmap in state.all(Roadmap)
        if roadmap.is_shared_with(sender)
        for one in roadmap.current.actions
    )


def _duplicate(state: KeyState, event: Accepted[Any], data: ReferralRequested) -> Refusal | None:
    """The sender's view of an open twin; twins that it may not see are the manager's to find."""
    if data.service_id is None:
        return None
    for other in sorted(state.all(Referral), key=lambda one: one.created_at):
        same = (other.service, other.network) == (data.service_id, data.network)
        if same and other.id != event.subject and other.state in OPEN_STATES and case_roles(other, event):
            return _duplicate_of(other)
    return None


def _duplicate_of(other: Referral) -> Refusal:
    return Refusal(
        "referral.duplicate",
        f"Referral {other.id} asks for the same thing and is {other.state}.",
        f'Follow that one: referral(id: "{other.id}").',
    )
