"""One key's state, driven by its real folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.domain.marks import SEALED_CONTEXT
from hub.domain.record import Accepted, KeyState, Record, Resolved
from hub.domain.refusal import Refusal
from hub.domain.registry import EVENTS
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY, uuid_of

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENDS = datetime(2028, 1, 1, tzinfo=UTC)
"""When the consents of these cases end."""
FIRM = uuid_of("firm")
MEMBERS = {slug: [NETWORK] for slug in (KENT, NORMANDY, EEN)}
MANAGER = "hub"


@dataclass
class Case:
    """A key and what happens to it; `now` is when the next event is accepted."""

    state: KeyState = field(default_factory=KeyState)
    now: datetime = AT
    networks: dict[str, list[str]] = field(default_factory=lambda: dict(MEMBERS))
    seq: int = 0

    def post(self, what: str, sender: str, subject: str, **data: Any) -> str:
        """Fold an event; `applied`, or the code of the refusal, which has a way out."""
        outcome = self.fold(what, sender, subject, **data)
        if isinstance(outcome, Refusal):
            assert outcome.message
            assert outcome.remedy
            return outcome.code
        self.state.put(outcome)
        return "applied"

    def fold(self, what: str, sender: str, subject: str, **data: Any) -> tuple[Record, ...] | Refusal:
        """What the fold says, without taking it over."""
        type_ = f"hub.{what}.v1"
        spec = EVENTS[type_]
        resolved = data.pop("resolved", {})
        self.seq += 1
        return spec.fold(
            self.state,
            Accepted(
                seq=self.seq,
                type=type_,
                sender=sender,
                source=f"/partners/{sender}/crm",
                event_id=str(self.seq),
                subject=subject,
                at=self.now,
                data=spec.payload.model_validate(data, context=SEALED_CONTEXT),
                raw=data,
                resolved=Resolved(
                    **{
                        "networks": self.networks,
                        "manages": ["*"] if sender == MANAGER else None,
                        "may": list(spec.scopes),
                        **resolved,
                    }
                ),
            ),
        )

    def registered(self, *partners: str) -> Case:
        """The firm, registered by each of them."""
        for partner in partners:
            assert (
                self.post("sme.registered", partner, FIRM, sme_id=FIRM, name="x", country="GB") == "applied"
            )
        return self

    def consent(self, sender: str, *recipients: str, id_: str = "consent", **members: Any) -> str:
        """A consent to everything, valid for 2026 and 2027."""
        data = {
            "sme_id": FIRM,
            "purposes": ["referral", "contact"],
            "recipients": list(recipients),
            "categories": ["identity", "contact", "diagnosis", "roadmap"],
            "given_at": "2026-01-01T00:00:00Z",
            "expires_at": "2028-01-01T00:00:00Z",
            "evidence": {"kind": "form"},
            **members,
        }
        return self.post("consent.given", sender, uuid_of(id_), **data)

    @staticmethod
    def consent_id(name: str) -> str:
        """Id of the consent of that name."""
        return uuid_of(name)

    def withdraw(self, sender: str, name: str) -> None:
        """Withdraw a consent."""
        data = {"sme_id": FIRM, "withdrawn_at": "2026-11-22T09:00:00Z"}
        assert self.post("consent.withdrawn", sender, uuid_of(name), **data) == "applied"

    def request(
        self, sender: str = KENT, to: str | None = NORMANDY, id_: str = "case", **members: Any
    ) -> str:
        """A referral under the consent above."""
        what = members.pop("what", "referral.requested")
        data = {"sme_id": FIRM, "network": NETWORK, "to": to, "consent_id": uuid_of("consent"), **members}
        return self.post(what, sender, uuid_of(id_), **data)


def opened(*recipients: str) -> Case:
    """KENT's firm, with its consent for NORMANDY and the network, or for those named."""
    case = Case().registered(KENT)
    assert case.consent(KENT, *(recipients or (NORMANDY, f"network:{NETWORK}"))) == "applied"
    return case
