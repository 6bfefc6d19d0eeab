"""hub audit: the operator reads everything, filtered, and nothing that is sealed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.main import app
from hub.events.audit import Acted
from hub.events.spine import Hub
from tests.support.messages import firm, firm_id, network_manager, partner
from tests.support.spine import embedded, running_spine

MANAGER = network_manager("kent")
REASON = "The owner fell ill abroad"


async def hub_audit(hub: Hub, *arguments: str) -> Result:
    environment = {"HUB_DATA_DIR": str(hub.settings.data_dir)}
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["audit", *arguments], env=environment))


async def test_operator_reads_every_record_but_not_what_is_sealed(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path / "hub") as spine:
        await spine.set_up_network()
        await spine.outcome(partner(), firm(partner(), "01234567"))
        auditor = spine.hub.auditor
        seqs = [
            await auditor.act(MANAGER, "session.started"),
            await auditor.act(MANAGER, "firm.exported", Acted(sme_id=firm_id("01234567"), reason=REASON)),
        ]
        assert await spine.hub.progress.reached(seqs, 20.0)
        done = await hub_audit(spine.hub, "--json")
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        assert [one["act"] for one in rows] == ["firm.exported", "session.started"]
        assert rows[0]["actor"]["networks"] == ["kent"]
        assert REASON not in done.stdout
        assert "sealed." not in done.stdout
        only = await hub_audit(spine.hub, "--json", "--act", "session.started", "--limit", "1")
        assert [one["seq"] for one in json.loads(only.stdout)] == seqs[:1]
        table = await hub_audit(spine.hub)
        assert "session.started" in table.stdout
        assert "…" not in table.stdout, "something was cut"


@pytest.mark.parametrize("wrong", [("--act", "session.stolen"), ("--since", "yesterday"), ("--limit", "0")])
def test_wrong_use_is_said_and_ends_with_two(tmp_path: Path, wrong: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["audit", *wrong], env={"HUB_DATA_DIR": str(tmp_path)})
    assert done.exit_code == 2
