"""OAuth scopes of the network, and what each audience holds unless told otherwise."""

from __future__ import annotations

from enum import StrEnum

from hub.domain.refusal import Refusal


class Audience(StrEnum):
    """Whom a token speaks for; it picks the GraphQL schema and the rules of visibility."""

    PUBLIC = "public"
    PORTAL = "portal"
    PARTNER = "partner"
    MANAGER = "manager"


SCOPES: frozenset[str] = frozenset(
    {
        "catalogue:read",
        "catalogue:publish",
        "events:publish",
        "events:read",
        "referrals:create",
        "referrals:read",
        "referrals:contact",
        "referrals:act",
        "consents:read",
        "consents:write",
        "diagnosis:run",
        "diagnosis:read",
        "reports:own",
        "reports:network",
        "partners:self",
        "partners:admin",
        "webhooks:manage",
        "ledger:audit",
        "ledger:breakglass",
        "privacy:export",
        "privacy:erase",
        "ops:read",
    }
)

DEFAULT_SCOPES: dict[Audience, tuple[str, ...]] = {
    Audience.PUBLIC: (),
    Audience.PORTAL: ("catalogue:read", "diagnosis:run"),
    Audience.PARTNER: (
        "catalogue:read",
        "catalogue:publish",
        "events:publish",
        "events:read",
        "referrals:create",
        "referrals:read",
        "referrals:contact",
        "referrals:act",
        "consents:read",
        "consents:write",
        "diagnosis:run",
        "diagnosis:read",
        "reports:own",
        "partners:self",
        "webhooks:manage",
    ),
    Audience.MANAGER: (
        "catalogue:read",
        "events:publish",
        "events:read",
        "referrals:read",
        "reports:network",
        "partners:admin",
        "ledger:audit",
        "ledger:breakglass",
        "privacy:export",
        "privacy:erase",
        "ops:read",
    ),
}


def scopes_of(audience: Audience) -> frozenset[str]:
    """Scopes that a client of this audience may ever be granted: the public has no client."""
    return frozenset() if audience is Audience.PUBLIC else SCOPES


def missing_scope(*scopes: str, one_of: bool = False) -> Refusal:
    """The answer to a caller without these scopes. one_of: any of them would do."""
    return Refusal(
        "scope.missing",
        f"this needs the scope {(' or ' if one_of else ' and ').join(scopes)}",
        "Ask for a token with that scope; when it is not granted to you, ask the network manager for it.",
    )
