"""What an event names exists, is its sender's to name, and lies within the mandate of a bound manager.

A manager that is bound to networks admits newcomers to these, and changes what belongs to a partner as a
whole only where the partner takes part, and ever took part, in these alone: with a membership come the eyes
of an auditor, so that nobody is taken into a network by a manager that it has nothing to do with.
"""

from __future__ import annotations

from hub.domain.partners import PartnerChanged, PartnerJoined
from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from hub.events.check import Checked, Named
from hub.events.rejection import FieldError, Rejected
from hub.store.references import References


def check_references(references: References, event: Checked) -> None:
    """Rejected unless everything that the event names exists, and what it changes is the sender's own."""
    errors = [
        FieldError(named.pointer, f"names no {named.kind} {named.id} that you can refer to", event.index)
        for named in event.references
        if not _may_name(references, event, named)
    ]
    if not _may_change(references, event):
        errors.append(FieldError("/subject", f"names no {event.noun} of yours", event.index))
    if errors:
        raise Rejected(
            422,
            "payload.unknown_reference",
            f"{errors[0].field} {errors[0].message}.",
            "Check the id; publish or configure the thing first, and in a batch before what names it.",
            errors,
        )


def _may_name(references: References, event: Checked, named: Named) -> bool:
    """Whether the thing exists, and who is bound to networks may name it."""
    owner, bound = references.owner(named.kind, named.id), _bound_to(event.principal)
    if owner is None or bound is None:
        return owner is not None
    if named.kind == "network":
        return named.id in bound
    if event.noun == "match":
        return _takes_part_in(references, owner, bound)
    if event.noun == "partner":
        return _takes_part_in(references, named.id, bound)
    return True


def _may_change(references: References, event: Checked) -> bool:
    """Whether the subject is the sender's to change."""
    noun, what, subject = event.noun, event.what, event.subject
    if noun in ("service", "opportunity") and what == "interest-expressed":
        publisher = references.owner(noun, subject)
        return publisher is not None and references.owner("partner", publisher) is not None
    if noun in ("service", "opportunity") and what != "published":
        return references.was_published_by(noun, subject, event.principal.identity)
    bound = _bound_to(event.principal)
    if noun == "network":
        return bound is None or subject in bound
    if not isinstance(event.payload, PartnerChanged | PartnerJoined):
        return True
    if bound is not None and event.payload.network is None:
        # A manager of some networks acts on memberships of those, never on a partner as a whole.
        return False
    known = references.was_published_by("partner", subject, "")
    if what != "joined":
        return known
    return bound is None or not known or _is_its_own(references, subject, bound)


def _is_its_own(references: References, partner: str, bound: frozenset[str]) -> bool:
    """Whether the partner is not shut out, and the networks' own."""
    return references.owner("partner", partner) is not None and _takes_part_in(references, partner, bound)


def _takes_part_in(references: References, partner: str, bound: frozenset[str]) -> bool:
    """Whether the partner belongs, and ever belonged, to these networks alone."""
    ever = references.networks_ever(partner)
    return bool(ever) and ever <= bound


def _bound_to(principal: Principal) -> frozenset[str] | None:
    """The networks that a manager or portal is bound to; None for all others, partners among them."""
    return principal.networks if principal.audience in (Audience.MANAGER, Audience.PORTAL) else None
