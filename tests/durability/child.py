"""The server that the kill test kills: `hub serve`, or a variant that acknowledges before the commit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import hub.events.spine
from hub.cli.serve import serve
from hub.domain.principal import Principal
from hub.events.accept import Receipt
from hub.events.check import check
from hub.events.envelope import Envelope
from hub.events.intake import Intake


class HastyIntake(Intake):
    """What must not be: the answer first, the commit some time later."""

    async def submit(self, principal: Principal, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """Receipts of events that nobody has stored yet."""
        checked = check(principal, envelopes)
        # Later than anybody who has the answer needs to kill it.
        asyncio.get_running_loop().call_later(
            2.0, asyncio.ensure_future, super().submit(principal, envelopes)
        )
        return [Receipt(one.identity[2], one.identity[1], 1, duplicate=False) for one in checked]


if __name__ == "__main__":
    if sys.argv[1] == "hasty":
        hub.events.spine.Intake = HastyIntake  # type: ignore[attr-defined]
    serve()
