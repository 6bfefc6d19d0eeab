"""Firms whose data have been kept long enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from hub.domain.firms import Registration
from hub.domain.referrals import Referral
from hub.domain.retention import is_due, quiet_since
from hub.store.records import load_states
from hub.store.tables import record
from hub.store.vault import Vault

PAGE_FIRMS = 500


@dataclass(frozen=True, slots=True)
class DueFirm:
    """A firm to be erased, by its wire id."""

    sme_id: str
    quiet_since: datetime


def due_firms(
    conn: Connection, vault: Vault, at: datetime, years: int, after: str
) -> tuple[list[DueFirm], str | None]:
    """Those of the firms (surrogates) beyond `after` that are due, and where to go on; None at the end."""
    firms = select(record.c.key).where(record.c.kind.in_((Registration.kind, Referral.kind)))
    page = firms.where(record.c.key > after).distinct().order_by(record.c.key).limit(PAGE_FIRMS)
    keys = list(conn.execute(page).scalars())
    states = load_states(conn, keys)
    since = {key: quiet_since(states[key], at) for key in keys if is_due(states[key], at, years)}
    wire_ids = vault.wire_ids(conn, since)
    due = [DueFirm(wire_ids[key], quiet) for key, quiet in since.items() if quiet and key in wire_ids]
    return due, keys[-1] if len(keys) == PAGE_FIRMS else None
