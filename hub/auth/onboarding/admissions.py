"""Decisions of a network's manager: what partners may do, and who becomes one.

Each is a function of one transaction of the intake: what it finds is what it decides on. Whether the caller
reaches that far is asked there as well, so that a membership that ends at the same moment counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from hub.auth.onboarding.mandate import GRANTABLE, Reach, networks_now, reaches
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.store import clients, onboarding
from hub.store.clients import Client
from hub.store.onboarding import Decision, ScopeRequest
from hub.store.vault import Vault

REASON_CHARS_MAX = 2_000
OPEN_REQUESTS_MAX = 5


def beyond_partners(scopes: Sequence[str]) -> Refusal | None:
    """Why nobody may ask for these scopes, or grant them, over HTTP."""
    if beyond := sorted(set(scopes) - GRANTABLE):
        return Refusal(
            "scope.exceeded",
            f"no manager can grant {', '.join(beyond)[:200]}",
            "docs/scopes.md lists what partners may hold; anything else only the hub's operator can give.",
        )
    return None


def grant(
    conn: Connection, principal: Principal, client_id: str, scopes: Sequence[str], at: datetime
) -> Client | Refusal | None:
    """Replace the grant of a partner's client; None when there is none that the caller may know of."""
    client = clients.find_client(conn, client_id)
    reach = _reach(conn, principal, client, at) if client else None
    if client is None or reach is None:
        return None
    if reach != "managed":
        return Refusal(
            "scope.exceeded",
            f"the grant of {client_id} reaches beyond your mandate",
            "A manager grants to partners that take part in its networks alone. Ask the hub's operator.",
        )
    if refusal := beyond_partners(scopes):
        return refusal
    clients.set_grant(conn, client_id, tuple(dict.fromkeys(scopes)))
    return clients.find_client(conn, client_id)


def decide_request(
    conn: Connection,
    vault: Vault,
    principal: Principal,
    id_: str,
    decision: Decision,
    reason: str | None,
    at: datetime,
) -> ScopeRequest | Refusal | None:
    """Approve or refuse a client's request; None when there is none that the caller may know of."""
    request = onboarding.find_scope_request(conn, id_)
    client = clients.find_client(conn, request.client_id) if request else None
    if request is None or client is None or _reach(conn, principal, client, at) is None:
        return None
    if request.state != "open":
        return _decided("request", request.state)
    held = client.scopes if decision == "approved" else ()
    done = grant(conn, principal, client.client_id, (*held, *request.scopes), at) if held else client
    if not isinstance(done, Client):
        return done
    answer = vault.seal_secret(f"scope-request:{id_}", reason.encode()) if reason else None
    onboarding.decide_scope_request(conn, id_, decision, at, answer)
    return onboarding.find_scope_request(conn, id_)


def reason_of(vault: Vault, request: ScopeRequest) -> str:
    """Why the client asks."""
    return vault.open_secret(f"scope-request:{request.id}", request.reason).decode()


def answer_of(vault: Vault, request: ScopeRequest) -> str | None:
    """Why it was refused."""
    sealed = request.answer
    return vault.open_secret(f"scope-request:{request.id}", sealed).decode() if sealed else None


def make_request(
    conn: Connection, vault: Vault, client: Client, scopes: Sequence[str], reason: str, at: str
) -> ScopeRequest | Refusal:
    """Keep what a client asks for, to be decided by a manager. at: RFC 3339."""
    if client.audience is not Audience.PARTNER:
        return Refusal(
            "scope.exceeded", "this client belongs to no partner", "Ask the hub's operator for its scopes."
        )
    if refusal := beyond_partners(scopes):
        return refusal
    if held := sorted(set(scopes) & set(client.scopes)):
        return Refusal("payload.invalid", f"{', '.join(held)} is granted already", "Ask for what is missing.")
    if onboarding.count_open_requests(conn, client.client_id) >= OPEN_REQUESTS_MAX:
        return Refusal(
            "credential.conflict",
            f"{OPEN_REQUESTS_MAX} requests of this client wait for an answer",
            "Wait for the network's manager.",
        )
    id_ = str(uuid4())
    sealed = vault.seal_secret(f"scope-request:{id_}", reason.encode())
    made = ScopeRequest(id_, client.client_id, tuple(dict.fromkeys(scopes)), sealed, "open", at)
    onboarding.add_scope_request(conn, made)
    return made


def _reach(conn: Connection, principal: Principal, client: Client, at: datetime) -> Reach | None:
    return reaches(principal, [client], networks_now(conn, client, at.date())).get(client.client_id)


def _decided(what: str, state: str) -> Refusal:
    return Refusal("request.decided", f"this {what} was {state} already", "There is nothing left to decide.")
