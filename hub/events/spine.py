"""The parts that every event passes, wired to each other: what commands and the web application share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.domain.refusal import Refusal
from hub.events.backbone import EmbeddedBackbone
from hub.events.intake import Intake
from hub.events.progress import Progress
from hub.events.projector import STREAM, Projector
from hub.events.sequencer import Sequencer
from hub.settings import Settings
from hub.store.engine import TRUTH_FILE, SqliteStore
from hub.store.keyfiles import key_file
from hub.store.pages import projection_version
from hub.store.projection import follows_the_tree
from hub.store.schema import ledger_name, migrate_truth, prepare_read_model
from hub.store.vault import Vault

log = logging.getLogger(__name__)


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
    ledger_origin: str

    async def prepare(self) -> None:
        """Bring the read model to this version, and the progress to where it stands.

        A read model of other events, beside a truth that was restored, is folded again.
        """
        await prepare_read_model(self.store)
        if not await self.store.read(lambda conn: follows_the_tree(conn, STREAM)):
            log.warning("read_model_of_other_events")
            await prepare_read_model(self.store, anew=True)
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


class Unfit(Exception):
    """The data folder cannot be used as it is; nothing was changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def open_hub(settings: Settings) -> Hub:
    """Wire the embedded hub on its data folder, which is brought to this version first.

    Unfit when keys are missing that its data are sealed under, or when its ledger has another name.
    """
    database = settings.data_dir / TRUTH_FILE
    if database.exists():
        _check_keys(settings, database)
    vault, progress = Vault(settings.keys_dir), Progress()
    key = ledger_key(settings)
    store = SqliteStore(settings.data_dir)
    migrate_truth(database)
    origin = _ledger_origin(settings, database)
    intake = Intake(store, vault)
    sequencer = Sequencer(store, origin, key, intake.accepted)
    backbone = EmbeddedBackbone(store, sequencer.sequenced)
    projector = Projector(store, backbone, progress)
    return Hub(settings, store, vault, intake, sequencer, projector, progress, key, origin)


def _check_keys(settings: Settings, database: Path) -> None:
    for name in ("kek", "digest", "ledger"):
        file = settings.keys_dir / name
        if not file.exists():
            message = f"{file} is missing, and {database} holds data that need it."
            remedy = "Put the file back from the backup of the keys folder; a new key would not do."
            raise Unfit(Refusal("key.missing", message, remedy))


def _ledger_origin(settings: Settings, database: Path) -> str:
    """The ledger's name: its first checkpoint fixes it for good, whatever port the hub has today."""
    named = ledger_name(database)
    if named and named != settings.ledger_origin and "ledger_origin" in settings.model_fields_set:
        message = f"This ledger is named {named}, and HUB_LEDGER_ORIGIN says {settings.ledger_origin}."
        remedy = f"Set HUB_LEDGER_ORIGIN={named}, or leave it out."
        raise Unfit(Refusal("ledger.renamed", message, remedy))
    return named or settings.ledger_origin


def ledger_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs checkpoints; file `ledger` of the keys folder."""
    raw = key_file(
        settings.keys_dir,
        "ledger",
        lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()),
    )
    return Ed25519PrivateKey.from_private_bytes(raw)
