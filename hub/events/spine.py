"""The parts that every event passes, wired to each other: what commands and the web application share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.exc import DBAPIError

from hub.domain.refusal import Refusal
from hub.events.audit import Auditor, NoteRefusal
from hub.events.backbone import Backbone, EmbeddedBackbone
from hub.events.erasing import Eraser
from hub.events.forgetting import Forgetter
from hub.events.intake import Intake
from hub.events.progress import Progress, heard, told
from hub.events.projector import Projector
from hub.events.quotas import Quotas
from hub.events.sequencer import RETRY_S, Sequencer, lead
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.engine import Store, StoreUnavailable
from hub.store.keyfiles import key_file
from hub.store.ledger import newest_head
from hub.store.opening import on_truth, open_store, truth_exists
from hub.store.projection import follows_the_tree, is_by_lanes, judged
from hub.store.schema import prepare_read_model
from hub.store.vault import Vault

if TYPE_CHECKING:
    from hub.events.kafka import KafkaBackbone

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts of a hub, wired to each other. kafka: None on the embedded backbone."""

    settings: Settings
    store: Store
    vault: Vault
    intake: Intake
    auditor: Auditor
    sequencer: Sequencer
    kafka: KafkaBackbone | None
    projector: Projector
    eraser: Eraser
    progress: Progress
    ledger_key: Ed25519PrivateKey
    ledger_origin: str

    async def prepare(self) -> None:
        """Bring the read model to this version.

        A read model of other events, beside a truth that was restored, is folded again.
        """
        if self.kafka is None and await self.store.inspect(is_by_lanes):
            message = "This read model is folded by the lanes of Kafka, and HUB_KAFKA_BOOTSTRAP is not set."
            remedy = "Set it as the other processes have it. To leave Kafka: docs/operations.md."
            raise Unfit(Refusal("kafka.absent", message, remedy))
        await prepare_read_model(self.store)
        by_lanes = self.kafka is not None
        if not await self.store.inspect(lambda conn: follows_the_tree(conn, by_lanes=by_lanes)):
            log.warning("read_model_of_other_events")
            await prepare_read_model(self.store, anew=True)

    @contextlib.asynccontextmanager
    async def running(self, *, serving: bool = True, working: bool = True) -> AsyncIterator[None]:
        """The parts at work, ended in the order in which events flow.

        serving: the intake of this process. working: sequencer, relay, projector, eraser, forgetter,
        partners' topics.
        """
        await self.prepare()
        if self.kafka and working:
            # Topics of another shape end the process here; a cluster that is away does not.
            with contextlib.suppress(StoreUnavailable):
                await self.kafka.cluster.make_topics()
        jobs: list[tuple[str, Callable[[], Awaitable[None]]]] = [("listener", self._listen)]
        if working:
            jobs += [("projector", self.projector.run), ("sequencer", self._sequence)]
            jobs += [("eraser", self.eraser.run), ("forgetter", Forgetter(self.store).run)]
            if self.kafka:
                jobs += [("partners' topics", self.kafka.take_in)]
        if serving or self.kafka:
            jobs += [("intake", self.intake.run), ("auditor", self.auditor.run)]
        async with contextlib.AsyncExitStack() as stack:
            if self.kafka:
                stack.push_async_callback(self.kafka.close)
            for name, run in jobs:
                task = asyncio.ensure_future(run())
                task.add_done_callback(lambda done, name=name: _ended(name, done))  # type: ignore[misc]
                stack.push_async_callback(_end, task)
            yield

    async def _sequence(self) -> None:
        """Sequence, and tell the log, as long as no other process does."""

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.sequencer.run())
                if self.kafka:
                    tasks.create_task(self.kafka.relay(self.sequencer.sequenced))

        await lead(self.store, "sequencer", work)

    async def _listen(self) -> None:
        """Wake what waits for other processes."""
        while True:
            try:
                async for name, content in self.store.signals.listen():
                    if name == "hub_accepted":
                        self.intake.accepted.set()
                    elif name == "hub_sequenced":
                        self.sequencer.sequenced.set()
                    elif name == "hub_projected":
                        self.progress.shows(heard(content))
            except (StoreUnavailable, ValueError) as error:
                log.warning("listener_waits", extra={"why": str(error)})
            await asyncio.sleep(RETRY_S)


def _ended(name: str, task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("part_ended", extra={"part": name}, exc_info=task.exception())


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def open_hub(settings: Settings) -> Hub:
    """Wire the hub of the settings; its truth is brought to this version first.

    Unfit when keys are missing that its data are sealed under, when its ledger has another name, or when
    the database does not answer.
    """
    try:
        if truth_exists(settings.data_dir, settings.database_url):
            _check_keys(settings)
        store = open_store(settings.data_dir, settings.database_url)
        origin = _ledger_origin(settings)
    except ValueError as error:
        message = f"HUB_DATABASE_URL cannot be used: {error}."
        raise Unfit(Refusal("hub.unavailable", message, "docs/settings.md says what it may be.")) from None
    except DBAPIError as error:
        message = f"PostgreSQL refuses: {error.orig}."
        remedy = "Make the database, or check HUB_DATABASE_URL and what its user may do (docs/operations.md)."
        raise Unfit(Refusal("hub.unavailable", message, remedy)) from None
    except StoreUnavailable as error:
        message = f"The database does not answer: {error}."
        raise Unfit(Refusal("hub.unavailable", message, "Check HUB_DATABASE_URL, and start it.")) from None
    vault, key = Vault(settings.keys_dir), ledger_key(settings)
    progress = Progress(lambda seqs: store.look(lambda conn: judged(conn, seqs)))
    rates = settings.quota_events_per_s, settings.quota_bytes_per_s, settings.quota_cost_per_s
    intake = Intake(store, vault, Quotas(*rates))
    sequencer = Sequencer(store, origin, key, intake.accepted)
    auditor = Auditor(vault, intake)
    kafka = _kafka(settings, store, vault, intake, auditor.refused)
    backbone: Backbone = kafka or EmbeddedBackbone(store, sequencer.sequenced)

    async def shown(seqs: Sequence[int]) -> None:
        progress.shows(seqs)
        store.signals.send("hub_projected", told(seqs))

    eraser = Eraser(store, vault)
    projector = Projector(store, backbone, shown, eraser.at_once)
    return Hub(
        settings, store, vault, intake, auditor, sequencer, kafka, projector, eraser, progress, key, origin
    )


def _kafka(
    settings: Settings, store: Store, vault: Vault, intake: Intake, note_refusal: NoteRefusal
) -> KafkaBackbone | None:
    if not settings.kafka_bootstrap:
        return None
    # Imported by those who use it: it takes as long as the rest of a command.
    from hub.events.kafka import KafkaBackbone

    return KafkaBackbone(settings, store, vault, intake, note_refusal)


def _check_keys(settings: Settings) -> None:
    for name in ("kek", "digest", "ledger"):
        file = settings.keys_dir / name
        if not file.exists():
            message = f"{file} is missing, and the database holds data that need it."
            remedy = "Put the file back from the backup of the keys folder; a new key would not do."
            raise Unfit(Refusal("key.missing", message, remedy))


def _ledger_origin(settings: Settings) -> str:
    """The ledger's name: its first checkpoint fixes it for good, whatever port the hub has today."""
    head = on_truth(settings.data_dir, settings.database_url, newest_head)
    named = head.note.partition("\n")[0] if head else None
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
