"""Database roles of PostgreSQL: each may do what its part of the hub needs, and nothing else.

The owner, who migrates, is the user of HUB_DATABASE_URL; it is made a member of the others and takes their
place connection by connection.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

INTAKE, PROJECTOR, READER, INSPECTOR = "hub_intake", "hub_projector", "hub_reader", "hub_inspector"

# Adding is what the truth is for; changed are clients, people and their sessions, references, keys, the
# unfinished tile, the relay's place, and what became of messages.
_INTAKE_CHANGES = (
    "reference",
    "subject_key",
    "tile",
    "relay",
    "delivery",
    "parked",
    "oauth_client",
    "oauth_client_key",
    "oauth_code",
    "person",
    "person_session",
    "sign_in_try",
    "application",
    "scope_request",
    "key_use",
)
_INTAKE_FORGETS = (
    "oauth_code",
    "oauth_jti",
    "oauth_revoked",
    "delivery",
    "relay",
    "parked",
    "person_link",
    "person_recovery",
    "person_session",
    "sign_in_try",
    "application",
    "scope_request",
)


# What answers to callers are made of, and nothing that comes later by itself: no clients, people or sessions.
_FOR_READERS = ("inbox", "leaf", "tile", "checkpoint", "delivery", "subject_key")
ROLES = (INTAKE, PROJECTOR, READER, INSPECTOR)


def make_roles(conn: Connection) -> None:
    """Make the roles that are missing, and let the owner act as them."""
    for role in ROLES:
        # Two hubs of one server may be made at the same moment.
        conn.execute(
            text(f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} NOLOGIN;
                END IF;
                IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
                    EXECUTE format('GRANT {role} TO %I', current_user);
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$""")
        )


def grant_truth(conn: Connection) -> None:
    """What each role may do with the truth; run after every migration."""
    _execute(
        conn,
        f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {', '.join(ROLES)}",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {INTAKE}",
        f"GRANT UPDATE ON {', '.join(_INTAKE_CHANGES)} TO {INTAKE}",
        f"GRANT DELETE ON {', '.join(_INTAKE_FORGETS)} TO {INTAKE}",
        f"REVOKE ALL ON alembic_version FROM {INTAKE}",
        f"GRANT SELECT ON inbox, leaf TO {PROJECTOR}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {INSPECTOR}",
        f"GRANT SELECT ON {', '.join(_FOR_READERS)} TO {READER}",
    )


def grant_read_model(conn: Connection, schema: str) -> None:
    """What each role may do with a read model that was just made."""
    _execute(
        conn,
        f'GRANT USAGE ON SCHEMA "{schema}" TO {PROJECTOR}, {READER}, {INSPECTOR}',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO {PROJECTOR}',
        f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO {READER}, {INSPECTOR}',
    )


def _execute(conn: Connection, *statements: str) -> None:
    for statement in statements:
        conn.execute(text(statement))
