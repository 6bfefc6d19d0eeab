"""Breaking glass: a manager reads a firm's identity and contacts without consent, in an emergency.

A second manager agrees, it lasts an hour at most, and the partners whose data are read are told. All of it
is in the order of the firm's key, so that two requests at once have one outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from hub.domain.audit import Actor, AuditRecorded
from hub.domain.marks import Sealed, sealed
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal

MINUTES_MAX = 60
WAITS_MAX = timedelta(hours=1)
"""How long a request waits for the second manager."""

State = Literal["requested", "refused", "lapsed", "open", "ended", "expired"]


class BreakGlass(Record):
    """One emergency access to a firm. networks: whose cases it opens; partners: who is told of it.

    referral: the only case that it opens; None for all of those networks. until: set by the approval.
    """

    kind: ClassVar[str] = "breakglass"
    requester: Actor
    networks: list[str]
    partners: list[str]
    referral: str | None
    reason: Sealed | None
    minutes: int
    requested_at: datetime
    decided_by: Actor | None = None
    decided_at: datetime | None = None
    until: datetime | None = None
    ended_by: Actor | None = None
    ended_at: datetime | None = None
    uses: int = 0
    used_at: datetime | None = None

    def state(self, at: datetime) -> State:
        """How it stands at that moment. What was ended is closed whatever a clock says."""
        if self.ended_at:
            return "ended"
        if self.until:
            return "open" if at < self.until else "expired"
        if self.decided_by:
            return "refused"
        return "requested" if at < self.requested_at + WAITS_MAX else "lapsed"

    def opens(self, referral: Referral) -> bool:
        """Whether the case is one that it was asked for."""
        return referral.network in self.networks and self.referral in (None, referral.id)

    def is_overseen_by(self, networks: list[str] | frozenset[str] | None) -> bool:
        """Whether one who manages these networks, None for all, may decide on it."""
        return networks is None or set(networks).issuperset(self.networks)


def cases_of(state: KeyState, networks: list[str] | frozenset[str] | None) -> list[Referral]:
    """Cases of the firm in these networks, None for all; the earliest first."""
    found = [one for one in state.all(Referral) if networks is None or one.network in networks]
    return sorted(found, key=lambda one: (one.created_at, one.id))


def partners_of(cases: list[Referral]) -> list[str]:
    """Partners that ask for or own one of the cases, each once."""
    named = [one for case in cases for one in (case.requester, case.owner) if one]
    return list(dict.fromkeys(named))


def open_to(state: KeyState, actor: str, at: datetime) -> Iterator[BreakGlass]:
    """What is open to the actor (by its name) at that moment."""
    for one in state.all(BreakGlass):
        if one.requester.name == actor and one.state(at) == "open":
            yield one


def opened_partners(state: KeyState, actor: str, manages: frozenset[str] | None, at: datetime) -> list[str]:
    """Partners whose data on the firm are open to the actor. manages: its networks now, None for all."""
    grants = list(open_to(state, actor, at))
    return partners_of([case for case in cases_of(state, manages) if any(one.opens(case) for one in grants)])


def fold_breakglass(state: KeyState, event: Accepted[AuditRecorded]) -> Changes | Refusal:
    """Next state of an emergency access, or why not."""
    if event.data.act == "breakglass.requested":
        return _requested(state, event)
    grant = state.get(BreakGlass, event.subject)
    if grant is None or not grant.is_overseen_by(event.data.actor.networks):
        return not_found()
    return _MOVES[event.data.act](grant, event)


def _requested(state: KeyState, event: Accepted[AuditRecorded]) -> Changes | Refusal:
    data = event.data
    cases = [one for one in cases_of(state, data.actor.networks) if data.referral in (None, one.id)]
    if not cases:
        return not_found()
    for one in state.all(BreakGlass):
        if one.requester.name == data.actor.name and one.state(event.at) in ("requested", "open"):
            # Another one behind it would make the hour longer.
            return Refusal(
                "breakglass.open",
                f"Emergency access {one.id} of yours to this firm is {one.state(event.at)} already.",
                "Use that one, or end it before you ask for another.",
            )
    grant = BreakGlass(
        id=event.subject,
        requester=data.actor,
        networks=sorted({one.network for one in cases}),
        partners=partners_of(cases),
        referral=data.referral,
        reason=sealed(data.reason),
        minutes=data.minutes or MINUTES_MAX,
        requested_at=event.at,
    )
    return (grant,)


def _approved(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Changes | Refusal:
    refusal = _undecided_refusal(grant, event) or same_hand(grant.requester, event.data.actor)
    if refusal:
        return refusal
    return (_decided(grant, event, until=event.at + timedelta(minutes=grant.minutes)),)


def _refused(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Changes | Refusal:
    refusal = _undecided_refusal(grant, event) or same_hand(grant.requester, event.data.actor)
    return refusal or (_decided(grant, event, until=None),)


def _ended(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Changes | Refusal:
    if grant.state(event.at) not in ("requested", "open"):
        return _over(grant, event)
    return (grant.model_copy(update={"ended_by": event.data.actor, "ended_at": event.at}),)


def _used(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Changes:
    # The reading was let through a moment ago: it counts, whatever happened since.
    return (grant.model_copy(update={"uses": grant.uses + 1, "used_at": event.at}),)


_MOVES: dict[str, Callable[[BreakGlass, Accepted[AuditRecorded]], Changes | Refusal]] = {
    "breakglass.approved": _approved,
    "breakglass.refused": _refused,
    "breakglass.ended": _ended,
    "breakglass.used": _used,
}


def same_hand(requester: Actor, second: Actor) -> Refusal | None:
    """Why the second is not somebody else than the requester for certain.

    A person needs another person, a system another system: the person who asked for a token may be the one
    in whose name the other request comes.
    """
    if requester.person_id:
        other = second.person_id not in (None, requester.person_id)
    else:
        other = second.person_id is None and second.client_id != requester.client_id
    if other:
        return None
    return Refusal(
        "breakglass.same_hand",
        "Whoever asks does not decide: a person decides for another person, a system for another system.",
        "Ask another manager of the network to approve it.",
    )


def not_found() -> Refusal:
    """The answer on firms and requests that are unknown, and those that the actor may not see."""
    return Refusal(
        "referral.not_found",
        "There is no case of a firm in your networks that this could be about.",
        "Check the id; you can ask for firms with a case in a network that you manage.",
    )


def _undecided_refusal(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Refusal | None:
    return None if grant.state(event.at) == "requested" else _over(grant, event)


def _over(grant: BreakGlass, event: Accepted[AuditRecorded]) -> Refusal:
    return Refusal(
        "breakglass.decided",
        f"Emergency access {grant.id} is {grant.state(event.at)}.",
        "Nothing to do; ask for a new one if it is still needed.",
    )


def _decided(grant: BreakGlass, event: Accepted[AuditRecorded], until: datetime | None) -> BreakGlass:
    return grant.model_copy(update={"decided_by": event.data.actor, "decided_at": event.at, "until": until})


def told_of(state: KeyState, event: Accepted[AuditRecorded]) -> frozenset[str]:
    """Labels of the partners and managers whom an act on the firm concerns, as in `audit_labels`."""
    grant, actor = state.get(BreakGlass, event.subject), event.data.actor
    if grant:
        partners, networks = grant.partners, set(grant.networks)
    else:
        cases = cases_of(state, actor.networks) if actor.audience == "manager" else []
        partners, networks = partners_of(cases), {one.network for one in cases}
    return frozenset({f"partner:{one}" for one in partners} | {f"manager:{one}" for one in networks})
