"""The fold of referrals: who may move one, from where to where, and under which consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.domain.consents import Consent
from hub.domain.firms import may_work_on
from hub.domain.marks import sealed
from hub.domain.opportunities import InterestExpressed
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.referrals import (
    LEGAL_MOVES,
    OPEN_STATES,
    TERMINAL_STATES,
    Outcome,
    Reason,
    ReasonGiven,
    Referral,
    ReferralRequested,
    ReferralState,
)
from hub.domain.refusal import Refusal
from hub.domain.roadmaps import Roadmap


def not_found(id_: str) -> Refusal:
    """The one answer to those who are no party and to those who name nothing."""
    return Refusal(
        "referral.not_found",
        f"There is no referral {id_} that you are a party to.",
        "Check the subject of the event; referrals(first: 20) lists yours.",
    )


def roles_of(referral: Referral | None, event: Accepted[Any]) -> frozenset[str] | None:
    """What the sender is to the referral; None when it may not know of it."""
    if referral is None:
        return None
    roles = set(referral.roles(event.sender))
    if referral.is_in_pool and event.resolved.is_member(event.sender, referral.network):
        roles.add("pool")
    if event.resolved.manages_network(referral.network):
        roles.add("manager")
    return frozenset(roles) or None


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
    if before is not None:
        if not roles_of(before, event):
            return not_found(event.subject)
        if drafting or before.state != "draft" or before.requester != event.sender:
            return _illegal(before, event)
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
        if not roles_of(before, event):
            return not_found(id_)
        return _duplicate_of(before)
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
        if linked and not roles_of(state.get(Referral, linked), event):
            return not_found(linked)
    parent = state.get(Referral, data.part_of)
    if parent and (parent.state in TERMINAL_STATES or parent.id == event.subject):
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
        if same and other.id != event.subject and other.state in OPEN_STATES and roles_of(other, event):
            return _duplicate_of(other)
    return None


def _duplicate_of(other: Referral) -> Refusal:
    return Refusal(
        "referral.duplicate",
        f"Referral {other.id} asks for the same thing and is {other.state}.",
        f'Follow that one: referral(id: "{other.id}").',
    )


@dataclass(frozen=True, slots=True)
class Move:
    """One event type on an existing referral.

    roles: who may, any of. after: states that it leaves; to: the state it leads to. takes_on: the move
    takes a firm's case on, so it needs a live consent.
    """

    roles: frozenset[str]
    after: frozenset[ReferralState]
    to: ReferralState | None
    takes_on: bool = False


def _leaves(to: ReferralState, *unless: ReferralState) -> frozenset[ReferralState]:
    return frozenset(state for state, next_ in LEGAL_MOVES.items() if to in next_ and state not in unless)


OWNER, REQUESTER = frozenset({"owner"}), frozenset({"requester"})
REQUESTED: frozenset[ReferralState] = frozenset({"requested"})
MOVES: dict[str, Move] = {
    "received": Move(OWNER, REQUESTED, None),
    "claimed": Move(frozenset({"pool"}), REQUESTED, None, takes_on=True),
    "reassigned": Move(frozenset({"manager"}), REQUESTED, None),
    "accepted": Move(OWNER, _leaves("accepted"), "accepted", takes_on=True),
    "rejected": Move(OWNER, _leaves("rejected"), "rejected"),
    "started": Move(OWNER, frozenset({"accepted"}), "in-progress"),
    "held": Move(OWNER, _leaves("on-hold"), "on-hold"),
    "resumed": Move(OWNER, frozenset({"on-hold"}), "in-progress"),
    "completed": Move(OWNER, _leaves("completed"), "completed"),
    "failed": Move(OWNER, _leaves("failed"), "failed"),
    "cancelled": Move(OWNER | REQUESTER, _leaves("cancelled"), "cancelled"),
    "annulled": Move(REQUESTER, _leaves("entered-in-error"), "entered-in-error"),
}
CANCEL_SCOPES = {"requester": "referrals:create", "owner": "referrals:act"}


def allowed_moves(referral: Referral, roles: frozenset[str]) -> list[str]:
    """Names of the events that one in these roles may post now, in the order of a case."""
    return [
        what
        for what, move in MOVES.items()
        if referral.state in move.after
        and roles & move.roles
        and not (what == "claimed" and roles & (OWNER | REQUESTER))
    ]


def fold_move(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Move an existing referral."""
    referral = state.get(Referral, event.subject)
    roles = roles_of(referral, event)
    if referral is None or roles is None:
        return not_found(event.subject)
    what = event.type.split(".")[2]
    move = MOVES[what]
    if what == "cancelled":
        roles = frozenset(role for role in roles if CANCEL_SCOPES.get(role) in event.resolved.may)
    if what not in allowed_moves(referral, roles):
        return _illegal(referral, event)
    refusal = _children_refusal(state, referral) if what == "completed" else None
    if move.takes_on or what == "reassigned":
        taker = event.data.to if what == "reassigned" else event.sender
        refusal = _taken_on_refusal(state, event, referral, taker)
    if refusal:
        return refusal
    change: dict[str, Any] = {"updated_at": event.at, **_change(what, event)}
    if move.to:
        change["state"] = move.to
    if what == "received":
        return ()
    return (referral.model_copy(update=change),)


def _taken_on_refusal(
    state: KeyState, event: Accepted[Any], referral: Referral, taker: str
) -> Refusal | None:
    """A case is taken on under the consent it was requested with, while that consent is live."""
    consent = state.get(Consent, referral.consent)
    networks = event.resolved.networks.get(taker, [])
    if (
        consent
        and consent.is_live(event.at)
        and (consent.covers(taker, networks) or consent.partner == taker)
    ):
        return None
    return Refusal(
        "consent.missing",
        f"The consent behind referral {referral.id} is no longer live, or does not name {taker}.",
        "Ask the requester for a new consent and a new referral; this one can still be closed.",
    )


def _children_refusal(state: KeyState, referral: Referral) -> Refusal | None:
    children = [one.id for one in state.all(Referral) if one.part_of == referral.id]
    waiting = sorted(id_ for id_ in children if _is_open(state.get(Referral, id_)))
    if not waiting:
        return None
    return Refusal(
        "rule.violated",
        f"Referral {referral.id} has {len(waiting)} part(s) that are not finished.",
        "A referral completes after its parts: finish or cancel them first.",
    )


def _is_open(referral: Referral | None) -> bool:
    return referral is not None and referral.state in OPEN_STATES


def _illegal(referral: Referral, event: Accepted[Any]) -> Refusal:
    roles = roles_of(referral, event) or frozenset()
    moves = allowed_moves(referral, roles)
    return Refusal(
        "referral.illegal_move",
        f"Referral {referral.id} is {referral.state}; {event.type} is not for you to post now.",
        f"You may post: {', '.join(moves)}." if moves else "There is nothing left for you to do on it.",
    )


def _reason(given: ReasonGiven) -> Reason:
    return Reason(code=given.code, party=given.party, text=sealed(given.text))


def _with_reason(event: Accepted[Any]) -> dict[str, Any]:
    return {"reason": _reason(event.data.reason)}


def _completed(event: Accepted[Any]) -> dict[str, Any]:
    reported = event.data.outcome
    return {
        "performed": event.data.performed,
        "outcome": Outcome(kind=reported.kind, value=reported.value, countries=list(reported.countries)),
        "reason": None,
    }


_CHANGES: dict[str, Callable[[Accepted[Any]], dict[str, Any]]] = {
    "claimed": lambda event: {"owner": event.sender},
    "reassigned": lambda event: {"owner": event.data.to, **_with_reason(event)},
    "rejected": lambda event: {**_with_reason(event), "suggested_to": event.data.suggested_to},
    "held": lambda event: {**_with_reason(event), "resume_on": event.data.resume_on},
    "resumed": lambda _event: {"reason": None, "resume_on": None},
    "failed": _with_reason,
    "cancelled": _with_reason,
    "completed": _completed,
}


def _change(what: str, event: Accepted[Any]) -> dict[str, Any]:
    change = _CHANGES.get(what)
    return change(event) if change else {}


def fold_outcome(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """The requester confirms or disputes, on the firm's behalf, what the owner reported."""
    referral = state.get(Referral, event.subject)
    roles = roles_of(referral, event)
    if referral is None or roles is None:
        return not_found(event.subject)
    if "requester" not in roles or referral.state != "completed" or referral.outcome is None:
        return _illegal(referral, event)
    confirming = event.type == "hub.outcome.confirmed.v1"
    if confirming and event.data.kind != referral.outcome.kind:
        return Refusal(
            "rule.violated",
            f"The owner reported {referral.outcome.kind}, not {event.data.kind}.",
            "Post hub.outcome.disputed.v1 with the kind that you hold to be right.",
        )
    outcome = referral.outcome.model_copy(
        update={
            "confirmation": "confirmed" if confirming else "disputed",
            "confirmed_by": event.data.confirmed_by if confirming else None,
            "value": event.data.value or referral.outcome.value,
        }
    )
    if outcome == referral.outcome:
        return ()
    return (referral.model_copy(update={"outcome": outcome, "updated_at": event.at}),)
