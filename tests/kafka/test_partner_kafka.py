"""hub partner kafka, suspend and resume, on a broker that checks rights."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from kafka.errors import TopicAuthorizationFailedError

from hub.events.spine import Hub, open_hub
from hub.store.deliveries import Delivery, find_delivery
from tests.kafka.secured import Secured, as_user, write
from tests.local.records import ABANDONED_SOCKETS
from tests.support.spine import running_spine
from tests.support.waiting import soon

pytestmark = ABANDONED_SOCKETS


async def test_the_command_gives_a_program_that_works(secured: Secured) -> None:
    unknown = await secured.hub("kafka", "kent")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    added = await secured.hub("add", "kent", "--name", "Kent", "--country", "GB", "--json")
    assert added.exit_code == 0, added.stderr
    assert "client.unknown" in (await secured.hub("kafka", "nobody-we-know")).stderr

    row = json.loads((await secured.hub("kafka", "kent", "--json")).stdout)
    members = ["bootstrap_servers", "security_protocol", "sasl_mechanism", "username", "password", "topic"]
    assert list(row) == members
    assert (row["topic"], row["username"], row["sasl_mechanism"]) == ("in.kent", "kent", "SCRAM-SHA-512")

    shown = (await secured.hub("kafka", "kent")).stdout
    program = [sys.executable, "-c", shown[shown.index("import json") :]]
    done = await asyncio.to_thread(
        lambda: subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    )
    assert done.returncode == 0, done.stderr
    partition, offset = (int(one) for one in done.stdout.strip().split("/")[-2:])
    found = await _taken_in(secured, "kent", partition, offset)
    assert (found.status, found.refusal) == ("accepted", None)


async def _taken_in(secured: Secured, slug: str, partition: int, offset: int) -> Delivery:
    """What became of a message, once a hub has read it."""

    def opened(_folder: Path) -> Hub:
        return open_hub(secured.settings)

    async with running_spine(opened, Path()) as spine:

        async def delivered() -> Delivery | None:
            return await spine.hub.store.inspect(
                lambda conn: find_delivery(conn, spine.hub.vault, slug, partition, offset)
            )

        found = await soon(delivered, "the message is read")
        assert found
        return found


async def test_a_suspended_partner_is_shut_out_of_its_topic_and_let_in_again(secured: Secured) -> None:
    assert (await secured.hub("add", "norfolk", "--name", "N", "--country", "GB", "--json")).exit_code == 0
    login = json.loads((await secured.hub("kafka", "norfolk", "--json")).stdout)
    own = as_user("norfolk", login["password"])
    assert await asyncio.to_thread(lambda: write(secured, "in.norfolk", **own)) >= 0
    assert (await secured.hub("suspend", "norfolk")).exit_code == 0
    with pytest.raises(TopicAuthorizationFailedError):
        await asyncio.to_thread(lambda: write(secured, "in.norfolk", **own))
    refused = await secured.hub("kafka", "norfolk")
    assert (refused.exit_code, "partner.suspended" in refused.stderr) == (1, True)
    assert (await secured.hub("resume", "norfolk")).exit_code == 0
    assert await asyncio.to_thread(lambda: write(secured, "in.norfolk", **own)) > 0
