"""The parts that every event passes, wired to each other: what commands and the web application share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.events.backbone import EmbeddedBackbone
from hub.events.intake import Intake
from hub.events.progress import Progress
from hub.events.projector import Projector
from hub.events.sequencer import Sequencer
from hub.settings import Settings
from hub.store.engine import SqliteStore
from hub.store.keyfiles import key_file
from hub.store.pages import projection_version
from hub.store.schema import migrate_truth, prepare_read_model
from hub.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts of a running hub, wired to each other."""

    settings: Settings
    store: SqliteStore
    vault: Vault
    intake: Intake
    sequencer: Sequencer
    projector: Projector
    progress: Progress
    ledger_key: Ed25519PrivateKey

    async def prepare(self) -> None:
        """Bring the read model to this version, and the progress to where it stands."""
        await prepare_read_model(self.store)
        self.progress.advance(await self.store.read(projection_version))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Intake, sequencer and projector at work; ended in the order in which events flow."""
        await self.prepare()
        async with contextlib.AsyncExitStack() as stack:
            for part in (self.projector, self.sequencer, self.intake):
                task = asyncio.create_task(part.run(), name=type(part).__name__)
                stack.push_async_callback(_end, task)
            yield


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def open_hub(settings: Settings) -> Hub:
    """Wire the embedded hub on its data folder, which is brought to this version first."""
    store = SqliteStore(settings.data_dir)
    migrate_truth(store.truth_file)
    vault, progress = Vault(settings.keys_dir), Progress()
    intake = Intake(store, vault)
    key = ledger_key(settings)
    sequencer = Sequencer(store, settings.ledger_origin, key, intake.accepted)
    backbone = EmbeddedBackbone(store, sequencer.sequenced)
    projector = Projector(store, backbone, progress)
    return Hub(settings, store, vault, intake, sequencer, projector, progress, key)


def ledger_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs checkpoints; file `ledger` of the keys folder."""
    raw = key_file(
        settings.keys_dir,
        "ledger",
        lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()),
    )
    return Ed25519PrivateKey.from_private_bytes(raw)
