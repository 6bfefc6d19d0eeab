"""Erasure: who may erase a firm or a person, what goes with it, and what the hub says afterwards.

The fold judges and takes personal records out of the state; the keys are destroyed because of what it left
there (hub/events/erasing.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from hub.domain.breakglass import BreakGlass
from hub.domain.consents import Consent
from hub.domain.diagnoses import Diagnosis
from hub.domain.firms import Registration
from hub.domain.record import Accepted, Changes, Fold, Gone, KeyState, Record, Resolved
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.roadmaps import Roadmap
from hub.domain.values import CasePayload, Payload, PersonId
from hub.domain.visits import Visit

FIRM, PERSON = "firm", "person"
ErasureReason = Literal["request", "retention"]
ERASED_TYPES = frozenset({"hub.sme.erased.v1", "hub.person.erased.v1"})

FIRM_ERASED = Refusal(
    "sme.erased",
    "The firm was erased: the hub keeps nothing about it and takes nothing more.",
    "Stop sending events on this firm.",
)
NAMES_ERASED = Refusal(
    "sme.erased",
    "The event names a firm or a person that was erased.",
    "Leave it out, and send the event again under a new id.",
)


class SmeErased(CasePayload):
    """hub.sme.erased.v1: the firm asked for it, or nothing has happened for as long as data are kept."""

    reason: ErasureReason


class PersonErased(Payload):
    """hub.person.erased.v1: a person who managed a network or answered for a task."""

    person_id: PersonId
    reason: ErasureReason


class Erasure(Record):
    """That its key was erased; id: `firm` or `person`. While its subject still has a key, that is to go."""

    kind: ClassVar[str] = "erasure"
    by: str
    reason: ErasureReason
    erased_at: datetime


def fold_firm_erased(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Take out of the state all that says something of the firm; states, codes, dates and parties stay.

    What stays is counted: referrals, visits, diagnoses and roadmaps, without a word that somebody wrote.
    """
    if event.resolved.manages is None:
        # Anybody can register a number of a public register: who then erased it would bar its own partner.
        return Refusal(
            "rule.violated",
            "Only managers erase firms.",
            "Ask the manager of your network: it erases the firm at your or the firm's request.",
        )
    if not _may_erase(state, event.resolved):
        return Refusal(
            "rule.violated",
            "There is no firm of this id that you may erase.",
            "Managers erase firms of their networks. Check sme_id.",
        )
    gone = [Gone(one.kind, one.id) for kind in (Registration, Consent) for one in state.all(kind)]
    kept = [_wordless(record) for record in state.records.values()]
    return (_erasure(FIRM, event), *gone, *(one for one in kept if one))


def fold_person_erased(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Note that the person is erased: nothing else stands under its key, and its names are sealed with it."""
    if state.get(Erasure, PERSON):
        return Refusal("rule.violated", "The person was erased before.", "Nothing to do.")
    return (_erasure(PERSON, event),)


def unless_erased(fold: Fold) -> Fold:
    """The fold of events on one firm, for as long as the firm is not erased."""

    def fold_living(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
        if state.get(Erasure, FIRM) is None:
            return fold(state, event)
        if event.type.split(".")[1] in ("referral", "outcome"):
            # One who is no party must not learn that there is such a referral, nor what became of its firm.
            # Nor may a party learn it of a firm that it names: all firms are alike now.
            resolved = event.resolved.model_copy(update={"other_firm": False})
            outcome = fold(state, replace(event, resolved=resolved))
            if isinstance(outcome, Refusal) and outcome.code == "referral.not_found":
                return outcome
        return FIRM_ERASED

    return fold_living


def names_nobody_erased(fold: Fold) -> Fold:
    """The fold of events that name firms or persons under another key, unless one of them is erased."""

    def fold_named(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
        return NAMES_ERASED if event.resolved.names_erased else fold(state, event)

    return fold_named


def _may_erase(state: KeyState, resolved: Resolved) -> bool:
    """Whether the firm is of a network that the sender manages.

    Who manages all networks may erase also a firm of which the hub only holds events that it refused.
    """
    manages = resolved.manages or ()
    if "*" in manages:
        return bool(state.records) or resolved.held
    return in_mandate(state, manages)


def in_mandate(state: KeyState, networks: Iterable[str]) -> bool:
    """Whether the firm is of one of the networks: by what was done for it there.

    A firm that was registered and no more is of the networks of those who registered it. Once it has a case,
    another network's manager has no say in it, whatever else its partner belongs to.
    """
    of_firm = {
        record.network
        for record in state.records.values()
        if isinstance(record, Referral | Visit | Diagnosis | Roadmap)
    }
    of_firm = of_firm or {network for one in state.all(Registration) for network in one.networks}
    return not of_firm.isdisjoint(networks)


def _wordless(record: Record) -> Record | None:
    """The record without free text and without language; None where it has none."""
    if isinstance(record, Referral):
        reason = record.reason and record.reason.model_copy(update={"text": None})
        return record.model_copy(update={"message": None, "reason": reason, "erased": True})
    if isinstance(record, BreakGlass):
        return record.model_copy(update={"reason": None})
    if isinstance(record, Visit):
        return record.model_copy(update={"note": None})
    if isinstance(record, Diagnosis):
        return record.model_copy(update={"language": None})
    if isinstance(record, Roadmap):
        bare = [one.model_copy(update={"note": None, "actions": []}) for one in record.versions]
        return record.model_copy(update={"versions": bare})
    return None


def _erasure(id_: str, event: Accepted[Any]) -> Erasure:
    return Erasure(id=id_, by=event.sender, reason=event.data.reason, erased_at=event.at)
