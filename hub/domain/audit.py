"""Acts of persons and refused rights, as the hub itself records them in the ledger.

Nothing here names a person in clear: an actor is an id, and what is personal is sealed under a firm's key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from hub.domain.marks import Personal
from hub.domain.principal import Principal
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.values import FirmId, MemberError, Slug, Text, Time, Uuid, Value

TYPE = "hub.audit.recorded.v1"
Act = Literal[
    "right.refused",
    "session.started",
    "session.refused",
    "session.ended",
    "sessions.ended",
    "factor.confirmed",
    "password.changed",
    "factor.enrolled",
    "person.added",
    "person.enrolled",
    "person.suspended",
    "person.resumed",
    "person.reset",
    "person.linked",
    "person.exported",
    "authorization.given",
    "client.added",
    "application.approved",
    "application.refused",
    "key.added",
    "key.retired",
    "key.rotated",
    "grant.requested",
    "grant.changed",
    "grant.refused",
    "firm.exported",
    "breakglass.requested",
    "breakglass.approved",
    "breakglass.refused",
    "breakglass.ended",
    "breakglass.used",
]
"""What can have been done; docs/audit.md says what each one means."""
ACTS: tuple[Act, ...] = get_args(Act)

COUNT_MAX = 2**31 - 1
_PRINTABLE = r"^[\x20-\x7e]+$"
Code = Annotated[str, Field(max_length=100, pattern=_PRINTABLE)]
Place = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]


class Actor(Value):
    """Who acted. networks: those that a manager or portal is bound to; absent: all that there are."""

    audience: Literal["public", "portal", "partner", "manager", "operator"]
    client_id: Slug | None = None
    person_id: Uuid | None = None
    partner: Slug | None = None
    networks: Annotated[list[Slug], Field(max_length=1_000)] | None = None

    @property
    def name(self) -> str:
        """One name for one actor: a person is the same whatever client it uses."""
        return actor_name(self.client_id, self.person_id)


class About(Value):
    """What was acted on, but a firm. partner: whose it is, if it is a partner's."""

    kind: Slug
    id: Place
    partner: Slug | None = None

    @model_validator(mode="after")
    def _is_no_firm(self) -> Self:
        if self.kind == "firm":
            # Here an id stays in clear for good, and that of a firm can be guessed from public registers.
            raise MemberError("kind", "may not be firm: sme_id names one, and is kept as a surrogate")
        return self


class AuditRecorded(Value):
    """hub.audit.recorded.v1; subject: the actor, or for an emergency access its id.

    code: why it was refused. where: route or field, by the names of the hub's own. sme_id: the firm that it
    is about, whose key then orders it and seals `reason`. count, from, to: of refusals told together.
    """

    act: Act
    outcome: Literal["done", "refused"] = "done"
    actor: Actor
    about: About | None = None
    sme_id: FirmId | None = None
    referral: Uuid | None = None
    code: Code | None = None
    where: Place | None = None
    reason: Personal[Text] | None = None
    minutes: Annotated[int, Field(ge=1, le=60)] | None = None
    count: Annotated[int, Field(ge=1, le=COUNT_MAX)] = 1
    from_: Annotated[Time | None, Field(alias="from")] = None
    to: Time | None = None

    @model_validator(mode="after")
    def _sealed_under_a_firm(self) -> Self:
        if self.reason is not None and self.sme_id is None:
            raise MemberError("reason", "is sealed under the key of a firm, and sme_id names none")
        return self


def actor_name(client_id: str | None, person_id: str | None) -> str:
    """One name for one actor; for nobody, who is never recorded by itself, `nobody`."""
    if person_id:
        return f"person:{person_id}"
    return f"client:{client_id}" if client_id else "nobody"


def actor_of(principal: Principal) -> dict[str, Any]:
    """The principal as the member `actor`."""
    networks = None if principal.networks is None else sorted(principal.networks)
    members = {
        "audience": principal.audience.value,
        "client_id": principal.client_id,
        "person_id": principal.person,
        "partner": principal.partner,
        "networks": networks,
    }
    return {name: value for name, value in members.items() if value is not None}


def fold_audit(_state: KeyState, _event: Accepted[Any]) -> Changes:
    """A record of an act changes nothing by itself: the entry in the ledger is the record."""
    return ()


def labels_of(data: AuditRecorded) -> frozenset[str]:
    """Who may read the record: its actor, its managers, and the partner that it is about.

    A partner reads what its systems did and what was done to them; what its people did is theirs and the
    manager's. Compared for equality with `audit_labels`.
    """
    labels = {data.actor.name, "manager:*"} | {f"manager:{one}" for one in data.actor.networks or ()}
    if data.actor.partner:
        labels.add(f"member:{data.actor.partner}")
        if data.actor.person_id is None:
            labels.add(f"partner:{data.actor.partner}")
    if data.about and data.about.partner:
        labels |= {f"member:{data.about.partner}", f"partner:{data.about.partner}"}
    return frozenset(labels)


def audit_labels(
    principal: Principal, manages: frozenset[str] | None, members: Iterable[str]
) -> frozenset[str]:
    """What a reader of the log answers to.

    manages: networks that an auditor oversees, {"*"} for all; None for everybody else. members: partners of
    these networks.
    """
    labels = {actor_name(principal.client_id, principal.person)}
    if principal.partner:
        labels.add(f"partner:{principal.partner}")
    if manages is not None:
        labels |= {f"manager:{one}" for one in manages} | {f"member:{one}" for one in members}
    return frozenset(labels)
