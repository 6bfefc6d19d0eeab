"""hub privacy: the operator's copies and erasures, beside a running hub and without one."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from hub.cli.main import app
from hub.domain.firms import Registration
from hub.domain.references import ACCOUNT_PREFIX, PERSON_PREFIX
from hub.domain.scopes import Audience
from hub.events.spine import Hub
from hub.store import people
from hub.store.records import load_states
from hub.store.tables import person, record, subject_key
from tests.privacy.told import (
    KENTS,
    MANAGER,
    NUMBER,
    OTHER,
    PERSONAL,
    erasure,
    keys,
    live,
    named_in_files,
    until_erased,
)
from tests.support.messages import KENT, NETWORK, event, firm, firm_id, uuid_of
from tests.support.spine import Spine, embedded, running_spine

PERSON = uuid_of("person")


async def hub_privacy(hub: Hub, *arguments: str) -> Result:
    """Run the command on the hub's settings."""
    environment = {
        f"HUB_{name.upper()}": str(getattr(hub.settings, name))
        for name in ("data_dir", "database_url", "kafka_bootstrap", "kafka_partitions")
    }
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["privacy", *arguments], env=environment))


async def test_the_operators_copy_is_whole_and_recorded(spine: Spine) -> None:
    await live(spine)
    done = await hub_privacy(spine.hub, "export", firm_id(NUMBER))
    assert done.exit_code == 0, done.stderr
    whole = json.loads(done.stdout)
    assert whole["registrations"][0]["name"] == PERSONAL["name of the firm"]
    assert whole["events"][-1]["event"]["data"]["act"] == "firm.exported"
    assert not named_in_files(spine.hub.settings.data_dir)
    unknown = await hub_privacy(spine.hub, "export", firm_id("99999999"))
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "privacy.unknown" in unknown.stderr


async def test_the_operator_erases_beside_a_running_hub(spine: Spine) -> None:
    await live(spine)
    done = await hub_privacy(spine.hub, "erase", firm_id(NUMBER), "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["id"], row["status"]) == (firm_id(NUMBER), "applied")
    await until_erased(spine, firm_id(NUMBER))
    again = await hub_privacy(spine.hub, "erase", firm_id(NUMBER), "--yes", "--json")
    assert (again.exit_code, json.loads(again.stdout)[0]["code"]) == (1, "sme.erased")
    assert await spine.outcome(MANAGER, erasure()) == "refused sme.erased"


async def test_without_yes_it_is_asked_first(spine: Spine) -> None:
    await live(spine)
    done = await hub_privacy(spine.hub, "erase", firm_id(NUMBER))
    assert done.exit_code == 1
    assert all((await keys(spine, firm_id(NUMBER)))[:2])


async def test_what_is_posted_while_the_hub_stands_still_is_carried_out_when_it_starts(
    tmp_path: Path,
) -> None:
    async with running_spine(embedded, tmp_path / "hub") as spine:
        await live(spine)
        settings = spine.hub.settings
    done = await hub_privacy(spine.hub, "erase", firm_id(NUMBER), "--yes")
    assert done.exit_code == 0, done.stderr
    assert "as soon as the hub runs" in done.stderr
    async with running_spine(embedded, settings.data_dir) as again:
        await until_erased(again, firm_id(NUMBER))


async def test_firms_that_were_quiet_for_years_are_listed_and_erased(spine: Spine) -> None:
    await live(spine)  # The first one has a live consent and open cases, the other nothing.
    assert json.loads((await hub_privacy(spine.hub, "due", "--json")).stdout) == []
    await _age(spine, firm_id(OTHER))
    listed = json.loads((await hub_privacy(spine.hub, "due", "--json")).stdout)
    assert [one["sme_id"] for one in listed] == [firm_id(OTHER)]
    done = await hub_privacy(spine.hub, "erase", "--due", "--yes", "--json")
    assert [(one["id"], one["status"]) for one in json.loads(done.stdout)] == [(firm_id(OTHER), "applied")]
    assert json.loads((await hub_privacy(spine.hub, "due", "--json")).stdout) == []
    assert await spine.outcome(KENTS, firm(KENTS, NUMBER)) == "applied"


async def _age(spine: Spine, wire_id: str) -> None:
    """Make the firm's registration an old one, as if it had been accepted then."""
    digest = spine.hub.vault.subject_digest(wire_id)
    query = select(subject_key.c.surrogate).where(subject_key.c.digest == digest)
    key = await spine.hub.store.inspect(lambda conn: conn.execute(query).scalar_one())

    def work(conn: Any) -> None:
        registration = load_states(conn, [key])[key].get(Registration, KENT)
        assert registration
        old = registration.model_copy(update={"updated_at": datetime(2001, 1, 1, tzinfo=UTC)})
        doc = old.model_dump_json(exclude_defaults=True, by_alias=True)
        conn.execute(
            update(record).where(record.c.key == key, record.c.kind == "registration").values(doc=doc)
        )

    await spine.hub.store.project(work)


async def test_a_person_is_erased_with_names_login_and_sessions(spine: Spine) -> None:
    await spine.set_up_network()
    new = people.NewPerson("pia@example.org", "Pia Underhill", Audience.MANAGER, None, None, ("ops:read",))
    hub = spine.hub
    id_ = await hub.store.write(lambda conn: people.add_person(conn, hub.vault, new, datetime.now(UTC)))
    duty = {"network": NETWORK, "task": "helpdesk", "partner": KENT, "person_id": id_}
    duty |= {"person": "Pia Underhill", "from": "2026-01-01"}
    assign = event(MANAGER, "responsibility.assigned", uuid_of("duty"), duty)
    assert await spine.outcome(MANAGER, assign) == "applied"
    copied = json.loads((await hub_privacy(hub, "export", id_, "--person")).stdout)
    assert copied["login"]["email"] == "pia@example.org"
    assert copied["events"][0]["event"]["data"]["person"] == "Pia Underhill"

    done = await hub_privacy(hub, "erase", id_, "--person", "--yes", "--json")
    assert json.loads(done.stdout)[0]["status"] == "applied", done.stderr
    await until_erased(spine, PERSON_PREFIX + id_)
    for prefix in (PERSON_PREFIX, ACCOUNT_PREFIX):
        assert (await keys(spine, prefix + id_))[:2] == (None, None)
    row = await hub.store.inspect(lambda conn: conn.execute(select(person).where(person.c.id == id_)).one())
    assert (row.login, row.sealed, row.scopes, row.suspended) == (None, None, "[]", True)
    assert (await hub_privacy(hub, "export", id_, "--person")).exit_code == 1
    again = event(MANAGER, "responsibility.assigned", uuid_of("duty-2"), duty)
    assert await spine.outcome(MANAGER, again) == "refused sme.erased"
