"""What can be said of an event before the database is asked: rights, payload, and what it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from pydantic import BaseModel, ValidationError

from hub.domain.codes import nearest
from hub.domain.deadlines import deadline_id
from hub.domain.erasures import PersonErased, SmeErased
from hub.domain.firms import SmeRegistered, firm_wire_id
from hub.domain.marks import FirmReference, PersonalMark, PersonReference, Reference, places, visit
from hub.domain.matches import MatchDecided, match_id
from hub.domain.networks import ContributionRecorded
from hub.domain.opportunities import OpportunityPublished, opportunity_id
from hub.domain.principal import HUB, Principal
from hub.domain.references import PERSON_PREFIX
from hub.domain.referrals import OutcomeJudged
from hub.domain.registry import EVENTS, EventSpec
from hub.domain.services import ServicePublished, service_id
from hub.domain.values import is_slug, is_uuid
from hub.events.complaints import ERRORS_MAX, invalid_payload
from hub.events.envelope import Envelope
from hub.events.rejection import FieldError, Rejected


@dataclass(frozen=True, slots=True)
class Named:
    """A reference of the payload: kind and id of the thing, pointer of the member."""

    kind: str
    id: str
    pointer: str


@dataclass(slots=True)
class Checked:
    """An event that may be accepted once its references are found.

    as_sent, content: canonical forms. firms, persons: wire ids in the order of the payload, each once.
    noun, what: of the type, hub.<noun>.<what>.v1. identity: partner, source, id, one event for ever.
    """

    principal: Principal
    envelope: Envelope
    spec: EventSpec
    payload: BaseModel
    as_sent: bytes
    content: bytes
    index: int | None
    references: list[Named] = field(default_factory=list)
    firms: list[str] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)
    type: str = field(init=False)
    noun: str = field(init=False)
    what: str = field(init=False)
    subject: str = field(init=False)
    identity: tuple[str, str, str] = field(init=False)

    def __post_init__(self) -> None:
        attributes = self.envelope.attributes
        self.type, self.subject = attributes["type"], attributes["subject"]
        _, self.noun, self.what, _ = self.type.split(".")
        self.identity = self.principal.identity, attributes["source"], attributes["id"]


def check(principal: Principal, envelopes: Sequence[Envelope]) -> list[Checked]:
    """Events ready for acceptance, in order; Rejected with every error that the batch holds.

    The code is that of the first error; a batch is all or nothing.
    """
    batch = len(envelopes) > 1
    checked, rejections = [], []
    for index, envelope in enumerate(envelopes):
        try:
            checked.append(_check(principal, envelope, index if batch else None))
        except Rejected as rejection:
            rejections.append(rejection)
            if len(rejections) >= ERRORS_MAX:
                break
    if rejections:
        first = rejections[0]
        errors = [error for rejection in rejections for error in rejection.errors][:ERRORS_MAX]
        raise Rejected(first.status, first.code, first.message, first.remedy, errors)
    return checked


def _check(principal: Principal, envelope: Envelope, index: int | None) -> Checked:
    attributes = envelope.attributes
    spec = EVENTS.get(attributes["type"])
    if spec is None:
        known = nearest(attributes["type"], EVENTS)
        raise Rejected(
            422,
            "event.unknown_type",
            f"{attributes['type'][:200]} is not an event type of this hub.",
            f"Did you mean {known}?" if known else "Choose one of the types of /openapi.json.",
            [FieldError("/type", "is not known", index)],
        )
    _check_source(principal, attributes["source"], index)
    _check_scope(principal, attributes["type"], spec, index)
    try:
        payload = spec.payload.model_validate(envelope.data)
    except ValidationError as error:
        raise invalid_payload(error, spec.payload, envelope.data, index) from None
    if spec.about_firm and envelope.data.get("sme_id") is not None:
        spec = spec.about_firm
    as_sent, content = envelope.canonical_forms()
    checked = Checked(principal, envelope, spec, payload, as_sent, content, index)
    _check_subject(checked)
    _check_judge(checked)
    _check_giver(checked)
    _collect(checked)
    return checked


def _check_source(principal: Principal, source: str, index: int | None) -> None:
    prefix = principal.source_prefix
    segments = unquote(source.removeprefix(prefix)).split("/")
    if source.startswith(prefix) and not {".", ".."} & set(segments):
        return
    raise Rejected(
        403,
        "event.foreign_source",
        f"The source {source[:200]} is not under {prefix}.",
        f"Use a source such as {prefix}crm.",
        [FieldError("/source", f"must start with {prefix}", index)],
    )


def _check_scope(principal: Principal, type_: str, spec: EventSpec, index: int | None) -> None:
    needs = "events:publish"
    if needs in principal.scopes:
        needs = " or ".join(spec.scopes)
        if principal.scopes & set(spec.scopes) or (not spec.scopes and principal.client_id == HUB):
            _check_confirmed(principal, spec, index)
            return
    raise Rejected(
        403,
        "scope.missing",
        f"{type_} needs the scope {needs or 'of the hub itself'}.",
        "Ask for a token with that scope; if your grant lacks it, ask the network manager.",
        [FieldError("/type", f"needs {needs or 'the hub itself'}", index)],
    )


def _check_confirmed(principal: Principal, spec: EventSpec, index: int | None) -> None:
    """A person who erases shows its second factor first: nobody gets back what an unlocked screen erased."""
    refusal = principal.unconfirmed() if "privacy:erase" in spec.scopes else None
    if refusal:
        error = FieldError("/type", "needs your second factor again", index)
        raise Rejected(403, refusal.code, f"{refusal.message}.", refusal.remedy, [error])


def _check_subject(checked: Checked) -> None:
    payload, subject, sender = checked.payload, checked.subject, checked.principal.identity
    expected: str | None = None
    if isinstance(payload, ServicePublished):
        expected = service_id(sender, payload.own_id)
    elif isinstance(payload, OpportunityPublished):
        expected = opportunity_id(sender, payload.reference)
    elif isinstance(payload, SmeRegistered):
        expected = _firm_id(payload)
        if payload.sme_id != expected:
            raise _mismatch(
                checked, f"The sme_id of this firm is {expected}.", "Set subject and sme_id to it."
            )
    elif isinstance(payload, SmeErased):
        expected = payload.sme_id
    elif isinstance(payload, PersonErased):
        expected = payload.person_id
    elif isinstance(payload, MatchDecided):
        expected = match_id(payload.left, payload.right)
    if expected is not None and subject != expected:
        raise _mismatch(checked, f"The subject of this payload is {expected}.", f"Set subject to {expected}.")
    if checked.noun in ("network", "partner", "audit"):
        if not is_slug(subject):
            raise _mismatch(
                checked, "The subject must be a slug.", "Use lower-case letters, digits and hyphens."
            )
        if checked.noun == "partner" and subject == HUB:
            raise _mismatch(checked, "No partner has the hub's own name.", "Choose another slug.")
    elif not is_uuid(subject):
        raise _mismatch(
            checked, "The subject must be a UUID.", "Use the lower-case form with hyphens of your own UUID."
        )
    if checked.noun == "deadline":
        due_at = str(checked.envelope.data["due_at"])
        if checked.identity[2] != deadline_id(subject, checked.envelope.data["kind"], due_at):
            raise _mismatch(checked, "The id does not follow from the deadline.", "Derive the id again.")


def _firm_id(payload: SmeRegistered) -> str:
    """Wire id that the registration must have as subject and sme_id."""
    number = payload.identifier
    if number is not None and not isinstance(number, str):
        return firm_wire_id(number.scheme, number.number)
    # A firm without a number has an id that nobody can guess: its partner's own random UUID.
    return payload.sme_id if UUID(payload.sme_id).version == 4 else "a UUIDv4 of your own"


def _check_judge(checked: Checked) -> None:
    if isinstance(checked.payload, OutcomeJudged) and checked.payload.confirmed_by == "sme":
        raise Rejected(
            422,
            "payload.invalid",
            "Only the firm's own link says confirmed_by sme.",
            "Say requester when you speak on the firm's behalf.",
            [
                FieldError(
                    "/data/confirmed_by", "sme is said through the firm's own link alone", checked.index
                )
            ],
        )


def _check_giver(checked: Checked) -> None:
    """Who speaks for another partner's money or people may speak for the network."""
    giver = checked.payload.partner if isinstance(checked.payload, ContributionRecorded) else None
    if giver in (None, checked.principal.identity) or "partners:admin" in checked.principal.scopes:
        return
    raise Rejected(
        403,
        "scope.missing",
        f"A contribution of another partner, {giver}, needs the scope partners:admin.",
        "Leave partner out to record your own; for another one ask the network manager.",
        [FieldError("/data/partner", "is not the sender: needs partners:admin", checked.index)],
    )


def _collect(checked: Checked) -> None:
    """Note down every reference, firm and person of the payload."""
    for place in places(type(checked.payload)):
        mark = place.mark

        def note(parent: dict[str, Any], container: Any, key: Any, pointer: str, mark: Any = mark) -> None:
            if isinstance(mark, Reference):
                kind, id_ = mark.kind, container[key]
                if kind == "recipient":
                    kind = "network" if id_.startswith("network:") else "partner"
                    id_ = id_.removeprefix("network:")
                checked.references.append(Named(kind, id_, f"/data{pointer}"))
            elif isinstance(mark, FirmReference):
                checked.firms.append(container[key])
            elif isinstance(mark, PersonReference):
                checked.persons.append(PERSON_PREFIX + container[key])
            elif isinstance(mark, PersonalMark) and mark.person_member:
                checked.persons.append(PERSON_PREFIX + parent[mark.person_member])

        visit(checked.envelope.data, place.path, note)
    checked.firms = list(dict.fromkeys(checked.firms))
    checked.persons = list(dict.fromkeys(checked.persons))


def _mismatch(checked: Checked, message: str, remedy: str) -> Rejected:
    return Rejected(
        422,
        "payload.subject_mismatch",
        message,
        remedy,
        [FieldError("/subject", "does not follow from the payload", checked.index)],
    )
