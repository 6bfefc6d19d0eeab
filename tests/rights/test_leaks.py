"""Two worlds that differ in another's case give a partner the same answers, whatever it asks or sends.

Size of the ledger, leaf indexes and leaf hashes are public; all else is compared byte for byte.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from hub.domain.principal import Principal
from tests.graphql.cases.world import (
    KENT_SERVICE,
    NORMANDY_SERVICE,
    NORTH,
    Event,
    World,
    consented,
    event,
    registered,
    requested,
    uuid,
    withdrawn,
)
from tests.rights.two_worlds import FRIESLAND, KENT, MOLISE, SECRETS, open_world, post, questions, same
from tests.support.parts import DatabaseServer

OUTSIDERS = {"a member of the network": FRIESLAND, "a partner of another network": MOLISE}
ASKED = {"sqlite": 150, "postgresql": 40}
"""Questions of each outsider; on PostgreSQL, where row-level security answers with us, each takes longer."""
CREATING = {"hub.consent.given.v1", "hub.referral.drafted.v1", "hub.referral.requested.v1"}


class Twins:
    """Both worlds, and cursors of the one that knows the secret."""

    def __init__(self, engine: str, runner: asyncio.Runner, worlds: list[World], cursors: list[str]) -> None:
        self.engine, self.runner, self.worlds, self.cursors = engine, runner, worlds, cursors

    def ask(self, caller: Principal, document: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers of both."""

        async def both() -> list[dict[str, Any]]:
            return [await one.graphql(caller, document, **variables) for one in self.worlds]

        return self.runner.run(both())


@asynccontextmanager
async def both_worlds(
    request: pytest.FixtureRequest, folder: Path, engine: str
) -> AsyncIterator[list[World]]:
    """A world for each secret, on databases of their own."""
    worlds: list[World] = []
    with ExitStack() as databases:
        for number, secret in enumerate(SECRETS):
            url = ""
            if engine == "postgresql":
                server: DatabaseServer = request.getfixturevalue("database_server")
                url = server.create_database(name := f"hub_{uuid4().hex[:12]}")
                databases.callback(server.drop_database, name)
            worlds.append(await open_world(folder / str(number), secret, url))
        yield worlds
        for world in worlds:
            await world.close()
            await world.store.close()


@pytest.fixture(scope="module", params=ASKED)
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Opened once an engine: nothing that is asked changes them."""
    with asyncio.Runner() as runner:
        both = both_worlds(request, tmp_path_factory.mktemp("twins"), request.param)
        worlds = runner.run(both.__aenter__())
        lists = ("referrals", "ledger", "smes", "services")
        query = "{" + " ".join(f"{one}(first: 1) {{ pageInfo {{ endCursor }} }}" for one in lists) + "}"
        pages = runner.run(worlds[0].ask(KENT, query))
        cursors = [page["pageInfo"]["endCursor"] for page in pages.values()]
        yield Twins(request.param, runner, worlds, cursors)
        runner.run(both.__aexit__(None, None, None))


def test_the_worlds_differ_for_those_who_keep_the_secret(twins: Twins) -> None:
    query = (
        "{ referrals { nodes { id state sme { name } } } smes { nodes { name } } ledger { nodes { type } } }"
    )
    left, right = twins.ask(KENT, query, {})
    assert all(left["data"][field] != right["data"][field] for field in left["data"])


@pytest.mark.parametrize("outsider", OUTSIDERS)
def test_whatever_an_outsider_asks_both_worlds_answer_the_same(twins: Twins, outsider: str) -> None:
    answered: Counter[str] = Counter()

    @settings(max_examples=ASKED[twins.engine], deadline=None, suppress_health_check=list(HealthCheck))
    @given(questions(twins.cursors))
    def ask(question: tuple[str, dict[str, Any]]) -> None:
        document, variables = question
        left, right = twins.ask(OUTSIDERS[outsider], document, variables)
        same(left, right)
        answered["data" if left.get("data") else "refused"] += 1

    ask()
    assert answered["data"] > answered["refused"], answered


@pytest.mark.parametrize("outsider", OUTSIDERS)
@pytest.mark.parametrize(
    "path", ["/receipts/{}", "/receipts/0{}", "/graphql?query={{receipt(seq:{}){{seq}}}}"]
)
def test_numbers_of_entries_tell_nothing(twins: Twins, outsider: str, path: str) -> None:
    async def walk(world: World) -> list[Any]:
        found = []
        for seq in range(1, 26):
            answer = await world.http.get(path.format(seq), headers=world._headers(OUTSIDERS[outsider]))
            found.append([answer.status_code, answer.json(), sorted(answer.headers.items())])
        return found

    left, right = (twins.runner.run(walk(world)) for world in twins.worlds)
    for one, other in zip(left, right, strict=True):
        own = isinstance(one[1], dict) and one[1].get("salt")
        same(one[:2], other[:2])
        assert own or one[2] == other[2]


def attempts(sender: Principal) -> list[Event]:
    """Events by which one may try to learn of the secret: each names something of both worlds."""
    made = []
    for secret in SECRETS:
        number, case = secret.number, uuid("case", secret.number)
        new = uuid("new", number, sender.client_id or "")
        made += [
            *(event(f"referral.{what}", case) for what in ("received", "claimed", "accepted", "started")),
            event("referral.annulled", case),
            event("outcome.confirmed", case, kind="none", confirmed_by="requester"),
            consented(number, str(sender.partner), id_=uuid("mine", number, sender.client_id or "")),
            withdrawn(number),
            requested(number, new, to="normandy", service_id=NORMANDY_SERVICE),
            requested("F", uuid("part", new), to="kent", part_of=case),
            requested("F", uuid("based", new), to="kent", based_on=case, service_id=KENT_SERVICE),
            # As it becomes known to the sender itself: what others know of the firm still stands apart.
            registered(number, name="As we know it"),
            consented(number, f"network:{NORTH}", id_=uuid("ours", number, sender.client_id or "")),
            requested(
                number,
                uuid("guard", new),
                to="normandy",
                service_id=NORMANDY_SERVICE,
                consent_id=uuid("ours", number, sender.client_id or ""),
            ),
            # The very events, as if they were the sender's own; none that would use an id up once more:
            # ids are drawn at random, and who knows one knows that it is in use (docs/privacy.md).
            *(one for _, one in secret.events if one["type"] not in CREATING),
        ]
    return made


@pytest.mark.parametrize(
    ("engine", "outsider"),
    [*(("sqlite", one) for one in OUTSIDERS), ("postgresql", "a member of the network")],
)
async def test_whatever_an_outsider_sends_both_worlds_answer_the_same(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, outsider: str
) -> None:
    sender = OUTSIDERS[outsider]
    verdicts: Counter[str] = Counter()
    async with both_worlds(request, tmp_path, engine) as worlds:
        for number, message in enumerate(attempts(sender)):
            left, right = [await post(world, sender, message) for world in worlds]
            label = f"{number} {message['type']} {json.dumps(message['data'])}"
            assert (label, left) == (label, right)
            verdicts[left["status"] if isinstance(left, dict) else left[0]] += 1
        assert verdicts["applied"] > 3
        assert verdicts["refused"] > 10
        query = "{ smes { nodes { id name contacts { name } } } referrals { totalCount nodes { id } } }"
        same(*[await world.graphql(sender, query) for world in worlds])
