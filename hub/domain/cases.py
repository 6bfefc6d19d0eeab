"""The fold of a firm's key: every noun of a case goes to its own rules, in one order."""

from __future__ import annotations

from typing import Any

from hub.domain.audit import fold_audit
from hub.domain.breakglass import fold_breakglass
from hub.domain.consents import fold_consent_given, fold_consent_withdrawn
from hub.domain.diagnoses import fold_diagnosis
from hub.domain.erasures import fold_firm_erased, unless_erased
from hub.domain.firms import fold_registration, may_work_on
from hub.domain.record import Accepted, Changes, Fold, KeyState
from hub.domain.referral_moves import fold_move, fold_outcome
from hub.domain.referral_requests import fold_interest, fold_requested
from hub.domain.refusal import Refusal
from hub.domain.roadmaps import fold_roadmap
from hub.domain.visits import fold_visit


def on_known_firm(fold: Fold) -> Fold:
    """The fold, for senders that registered the firm or to whom a live consent opens it."""

    def fold_known(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
        return may_work_on(state, event) or fold(state, event)

    return fold_known


def fold_deadline(_state: KeyState, _event: Accepted[Any]) -> Changes:
    """A missed deadline changes nothing by itself: the entry in the ledger is the record."""
    return ()


def fold_act(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """An act on the firm: emergency accesses have rules, everything else is only recorded."""
    if event.data.act.startswith("breakglass."):
        return unless_erased(fold_breakglass)(state, event)
    return fold_audit(state, event)


_FOLDS: dict[str, Fold] = {
    "hub.sme.registered.v1": fold_registration,
    "hub.sme.erased.v1": fold_firm_erased,
    "hub.consent.given.v1": on_known_firm(fold_consent_given),
    "hub.consent.withdrawn.v1": fold_consent_withdrawn,
    "hub.visit.recorded.v1": on_known_firm(fold_visit),
    "hub.diagnosis.submitted.v1": on_known_firm(fold_diagnosis),
    "hub.roadmap.agreed.v1": on_known_firm(fold_roadmap),
    "hub.roadmap.reviewed.v1": on_known_firm(fold_roadmap),
    "hub.referral.drafted.v1": fold_requested,
    "hub.referral.requested.v1": fold_requested,
    "hub.opportunity.interest-expressed.v1": fold_interest,
    "hub.outcome.confirmed.v1": fold_outcome,
    "hub.outcome.disputed.v1": fold_outcome,
    "hub.deadline.missed.v1": fold_deadline,
    **{
        f"hub.referral.{what}.v1": fold_move
        for what in (
            "received",
            "claimed",
            "reassigned",
            "accepted",
            "rejected",
            "started",
            "held",
            "resumed",
            "completed",
            "failed",
            "cancelled",
            "annulled",
        )
    },
}
FOLDS: dict[str, Fold] = {type_: unless_erased(fold) for type_, fold in _FOLDS.items()}
