"""The only wiring: settings in, the whole application out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI

from hub import graphql
from hub.auth import routes as oauth
from hub.auth.authenticate import Authenticator
from hub.auth.signing import open_signing
from hub.events.backbone import EmbeddedBackbone
from hub.events.intake import Intake
from hub.events.progress import Progress
from hub.events.projector import Projector
from hub.events.sequencer import Sequencer
from hub.ledger.checkpoint import verifier_key
from hub.rest import events, health, ledger, problems, receipts
from hub.settings import Settings
from hub.store.engine import SqliteStore
from hub.store.keyfiles import key_file
from hub.store.projection import newest_version
from hub.store.schema import migrate_truth, prepare_read_model
from hub.store.vault import Vault
from hub.web import graphiql


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
        self.progress.advance(await self.store.read(newest_version))

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


def build_app(settings: Settings, hub: Hub | None = None) -> FastAPI:
    """The application; with `hub` given, on parts that the caller has opened."""
    hub = hub or open_hub(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hub.running():
            yield
        await hub.store.close()

    app = FastAPI(
        title="Partner network hub",
        description="One service catalogue and one referral ledger for a network of export helpers.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    signing = open_signing(settings)
    authenticator = Authenticator(hub.store, settings, signing)
    checkpoints = verifier_key(settings.ledger_origin, hub.ledger_key.public_key())
    app.include_router(events.build_router(hub.store, hub.vault, hub.intake, hub.progress, authenticator))
    app.include_router(receipts.build_router(hub.store, hub.vault, authenticator.principal))
    app.include_router(graphql.build_router(hub.store, hub.vault, authenticator.principal))
    app.include_router(oauth.build_router(hub.store, settings, signing))
    app.include_router(ledger.build_router(hub.store, checkpoints))
    app.include_router(health.build_router(hub.store))
    app.include_router(graphiql.build_router())
    return app
