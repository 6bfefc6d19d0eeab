"""Emergency accesses as a viewer may see them, and the cases that a manager may ask to open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, literal_column, select

from hub.domain.breakglass import BreakGlass, State, cases_of
from hub.domain.record import KeyState
from hub.domain.refusal import Refusal
from hub.domain.viewer import Viewer
from hub.store.firms import has_stake, party_labels, states_of
from hub.store.records import load_states
from hub.store.tables import record, referral_party, verdict
from hub.store.vault import Vault, unseal

LISTED_MAX = 500
"""Emergency accesses that are looked at for one list: the latest ones."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """An emergency access. key: the firm's surrogate, never shown. referrals: ids of the cases that it opens.

    reason: None for those who may not decide on such requests.
    """

    key: str
    grant: BreakGlass
    state: State
    referrals: list[str]
    reason: str | None


def find_case(
    conn: Connection, viewer: Viewer, vault: Vault, *, sme: str | None, referral: str | None
) -> str | None:
    """Wire id of a firm with a case in the viewer's networks, named by that id or by one of its referrals.

    None alike for what is unknown, erased, and in other networks.
    """
    if sme is not None:
        subject = vault.subjects(conn, [sme]).get(sme)
        keys = [subject.surrogate] if subject else []
    else:
        seen = referral_party.c.id == referral, referral_party.c.label.in_(sorted(party_labels(viewer)))
        keys = list(conn.execute(select(referral_party.c.firm).where(*seen).distinct()).scalars())
    networks = viewer.principal.networks
    wanted = {
        key
        for key, state in load_states(conn, keys).items()
        if any(referral in (None, one.id) for one in cases_of(state, networks))
    }
    # Two firms may have referrals of one id: then the id names neither of them.
    return vault.wire_ids(conn, wanted).get(wanted.pop()) if len(wanted) == 1 else None


def get_grant(conn: Connection, viewer: Viewer, vault: Vault, id_: str) -> tuple[GrantView, str] | None:
    """An emergency access on which the viewer may decide, and the firm's wire id; None also once erased."""
    rows = conn.execute(select(record.c.key).where(record.c.kind == BreakGlass.kind, record.c.id == id_))
    for view in visible_grants(conn, viewer, vault, rows.scalars()):
        wire_id = vault.wire_ids(conn, [view.key]).get(view.key)
        if view.grant.id == id_ and wire_id and viewer.manages is not None:
            return view, wire_id
    return None


def find_grants(conn: Connection, viewer: Viewer, vault: Vault) -> list[GrantView]:
    """Emergency accesses that the viewer may decide on or is told of, the latest first."""
    latest = (
        select(record.c.key)
        .where(record.c.kind == literal_column(f"'{BreakGlass.kind}'"))
        .order_by(record.c.version.desc())
        .limit(LISTED_MAX)
    )
    if viewer.manages is None:
        latest = latest.where(has_stake(party_labels(viewer), record.c.key))
    views = visible_grants(conn, viewer, vault, conn.execute(latest).scalars())
    return sorted(views, key=lambda one: (one.grant.requested_at, one.grant.id), reverse=True)


def verdict_on(conn: Connection, seq: int) -> Refusal | None:
    """Why an event was refused; None when it was applied."""
    row = conn.execute(
        select(verdict.c.code, verdict.c.message, verdict.c.remedy).where(verdict.c.seq == seq)
    ).one()
    return Refusal(row.code, row.message, row.remedy) if row.code else None


def visible_grants(conn: Connection, viewer: Viewer, vault: Vault, keys: Iterable[str]) -> list[GrantView]:
    """Emergency accesses to the firms (surrogates) that the viewer may decide on or is told of."""
    found = []
    for states in states_of(conn, keys):
        subjects = vault.by_surrogate(conn, states)
        for key, state in states.items():
            for grant in state.all(BreakGlass):
                if _is_told(viewer, grant):
                    decides = viewer.manages is not None and viewer.may("ledger:breakglass")
                    reason = unseal(grant.reason, subjects) if grant.reason and decides else None
                    cases = _cases(viewer, state, grant)
                    found.append(GrantView(key, grant, grant.state(viewer.at), cases, reason))
    return found


def _is_told(viewer: Viewer, grant: BreakGlass) -> bool:
    if viewer.manages is not None:
        return grant.is_overseen_by(viewer.principal.networks)
    return viewer.principal.partner in grant.partners


def _cases(viewer: Viewer, state: KeyState, grant: BreakGlass) -> list[str]:
    """Ids of the cases that it opens, a partner's own alone."""
    partner = viewer.principal.partner
    cases = [one for one in cases_of(state, grant.networks) if grant.opens(one)]
    return [one.id for one in cases if partner is None or one.roles(partner)]
