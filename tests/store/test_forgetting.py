"""What is kept for a while only is deleted when its time is over, by itself, and nothing else with it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.values import rfc3339
from hub.events.forgetting import KEPT_FOR_A_WHILE, Forgetter
from hub.store import clients, onboarding, people, sessions, standing
from hub.store.authorization_codes import KEPT_S, AuthorizationCode, add_code
from hub.store.clients import Client
from hub.store.engine import Store
from hub.store.onboarding import APPLICATION_DAYS, REQUEST_DAYS, Application, ScopeRequest
from hub.store.people import NewPerson
from hub.store.sessions import IDLE_S, NewSession
from hub.store.tables import (
    application,
    oauth_code,
    oauth_jti,
    oauth_revoked,
    person_link,
    person_session,
    scope_request,
    sign_in_try,
)
from hub.store.vault import Vault
from tests.support.spine import embedded, running_spine
from tests.support.waiting import soon

NOW_S, DAY_S = 1_800_000_000, 86_400
AT = datetime.fromtimestamp(NOW_S, UTC)
KENT = Client("kent", "kent", Audience.PARTNER, "/partners/kent/", None, ("catalogue:read",), True)
FORGOTTEN = (
    application,
    oauth_code,
    oauth_jti,
    oauth_revoked,
    person_link,
    person_session,
    scope_request,
    sign_in_try,
)


def keep(conn: Connection, vault: Vault, name: str, left_s: int) -> None:
    """A row in each table, whose time is over in so many seconds."""
    end_s, digest = NOW_S + left_s, name.encode()
    new = NewPerson(
        f"{name}@example.org", name, Audience.MANAGER, None, None, DEFAULT_SCOPES[Audience.MANAGER]
    )
    person = people.add_person(conn, vault, new, AT)
    people.add_link(conn, person, digest, b"totp", end_s)
    sessions.add_session(conn, NewSession(digest, name, person, 0, "?", NOW_S, NOW_S), end_s - IDLE_S)
    sessions.count_tries(conn, [digest], end_s - 10, 10)
    clients.use_jtis(conn, [("kent", name, end_s)])
    standing.revoke(conn, name, end_s)
    back = "https://kent.example/back"
    add_code(
        conn,
        AuthorizationCode(
            digest, "kent", person, 0, back, "c", "catalogue:read", None, NOW_S, end_s - KEPT_S
        ),
    )
    made_at_s = end_s - APPLICATION_DAYS * DAY_S
    onboarding.add_application(
        conn, Application(name, digest, digest, "network", b"sealed", "open", made_at_s)
    )
    asked(conn, name, end_s - REQUEST_DAYS * DAY_S)


def asked(conn: Connection, id_: str, made_at_s: int) -> None:
    """A request for scopes that waits."""
    made_at = rfc3339(datetime.fromtimestamp(made_at_s, UTC))
    onboarding.add_scope_request(
        conn, ScopeRequest(id_, "kent", ("catalogue:publish",), b"sealed", "open", made_at)
    )


def counts(conn: Connection) -> set[int]:
    """How many rows there are, in each of the tables."""
    return {conn.execute(select(func.count()).select_from(one)).scalar_one() for one in FORGOTTEN}


async def test_in_every_such_table_what_is_over_goes_and_what_is_not_stays(
    store: Store, tmp_path: Path
) -> None:
    vault = Vault(tmp_path / "keys")
    assert len(KEPT_FOR_A_WHILE) == len(FORGOTTEN)
    await store.intake(lambda conn: clients.add_client(conn, KENT, AT))
    for name, left_s in (("over", -1), ("good", 1)):
        await store.write(lambda conn, name=name, left_s=left_s: keep(conn, vault, name, left_s))  # type: ignore[misc]
    assert await store.inspect(counts) == {2}
    await Forgetter(store, lambda: NOW_S).step()
    assert await store.inspect(counts) == {1}
    assert await store.inspect(lambda conn: onboarding.find_scope_request(conn, "good"))
    await Forgetter(store, lambda: NOW_S + 2).step()
    assert await store.inspect(counts) == {0}


async def test_the_answer_to_a_request_stands_for_its_time_however_late_it_came(store: Store) -> None:
    def late(conn: Connection) -> None:
        clients.add_client(conn, KENT, AT)
        asked(conn, "late", NOW_S - (2 * REQUEST_DAYS - 1) * DAY_S)
        decided_at = datetime.fromtimestamp(NOW_S - (REQUEST_DAYS - 1) * DAY_S, UTC)
        onboarding.decide_scope_request(conn, "late", "refused", decided_at, b"answer")

    await store.intake(late)
    await Forgetter(store, lambda: NOW_S).step()
    assert await store.inspect(lambda conn: onboarding.find_scope_request(conn, "late"))
    await Forgetter(store, lambda: NOW_S + DAY_S + 1).step()
    assert not await store.inspect(lambda conn: onboarding.find_scope_request(conn, "late"))


async def test_a_running_hub_forgets_though_nobody_calls(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path / "hub") as spine:
        store = spine.hub.store
        await store.write(lambda conn: clients.use_jtis(conn, [("kent", "old", int(time.time()) - 10)]))
    async with running_spine(embedded, tmp_path / "hub") as spine:
        store = spine.hub.store
        await soon(
            lambda: store.inspect(lambda conn: conn.execute(select(oauth_jti)).first() is None),
            "it is forgotten",
        )
