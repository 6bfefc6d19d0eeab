"""The fold of existing referrals: who may move one, from where to where, and under which consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.domain.consents import Consent
from hub.domain.firms import Reader, readable_registration
from hub.domain.marks import sealed
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.referrals import (
    LEGAL_MOVES,
    OPEN_STATES,
    Outcome,
    Reason,
    ReasonGiven,
    Referral,
    ReferralState,
)
from hub.domain.refusal import Refusal


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
    roles = set(case_roles(referral, event))
    if referral.is_in_pool and event.resolved.is_member(event.sender, referral.network):
        roles.add("pool")
    return frozenset(roles) or None


def case_roles(referral: Referral | None, event: Accepted[Any]) -> frozenset[str]:
    """Roles of those who may know whose case it is: one who is merely offered it has none."""
    if referral is None:
        return frozenset()
    manager = {"manager"} if event.resolved.manages_network(referral.network) else set()
    return referral.roles(event.sender) | manager


def _knows_firm(state: KeyState, event: Accepted[Any], referral: Referral) -> bool:
    """Whether the sender may know whose case it is: all others get one answer for every firm they guess."""
    roles = case_roles(referral, event)
    if not roles or "requester" in roles:
        return bool(roles)
    resolved = event.resolved
    networks = {slug: frozenset(of) for slug, of in resolved.networks.items()}
    if "manager" in roles:
        reader = Reader(None, frozenset(), frozenset(resolved.manages or ()))
    else:
        reader = Reader(event.sender, networks.get(event.sender, frozenset()))
    return readable_registration(state, reader, "identity", event.at, networks) is not None


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
        and not referral.erased
        and roles & move.roles
        and not (what == "claimed" and roles & (OWNER | REQUESTER))
    ]


def fold_move(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Move an existing referral."""
    referral = state.get(Referral, event.subject)
    roles = roles_of(referral, event)
    if referral is None or roles is None:
        return not_found(event.subject)
    if event.resolved.other_firm and _knows_firm(state, event, referral):
        return not_found(event.subject)
    what = event.type.split(".")[2]
    move = MOVES[what]
    if what == "cancelled":
        roles = frozenset(role for role in roles if CANCEL_SCOPES.get(role) in event.resolved.may)
    if what not in allowed_moves(referral, roles):
        return illegal(referral, event)
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


def illegal(referral: Referral, event: Accepted[Any]) -> Refusal:
    """The answer to a party whose move is not legal now; it names those that are."""
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
        return illegal(referral, event)
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
