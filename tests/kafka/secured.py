"""A broker that asks who is there and checks rights, and the settings of a hub that administers it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from deploy.local import LocalKafka
from hub.cli.main import app
from hub.events.kafka.access import Access, Login
from hub.events.kafka.connection import Cluster
from hub.settings import Settings
from tests.kafka.clients import producing
from tests.support.waiting import PATIENCE_S

IMPATIENT = {"bootstrap_timeout_ms": 2_000, "reconnect_backoff_max_ms": 500}


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker with rights, and the settings of a hub that may administer it."""

    broker: LocalKafka
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        """Of the hub."""
        names = {name.removeprefix("HUB_").lower(): value for name, value in self.environment.items()}
        return Settings(**names)  # type: ignore[arg-type]

    @property
    def access(self) -> Access:
        """What the command uses."""
        return Access(Cluster(self.settings))

    @property
    def admin(self) -> dict[str, Any]:
        """Settings of a client that is the super user."""
        return as_user(self.broker.admin_username, self.broker.admin_password)

    async def hub(self, *arguments: str) -> Result:
        """Run a command on partners in this process: a new one takes seconds to load."""
        return await asyncio.to_thread(
            lambda: CliRunner().invoke(app, ["partner", *arguments], env=self.environment)
        )


def as_user(username: str | None, password: str | None) -> dict[str, Any]:
    """Settings of a client that logs in."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": username,
        "sasl_plain_password": password,
        **IMPATIENT,
    }


def of(login: Login) -> dict[str, Any]:
    """Settings of the partner's client."""
    return as_user(login.username, login.password)


def write(secured: Secured, topic: str, **settings: Any) -> int:
    """Offset of an acknowledged record."""
    with producing(secured.broker.bootstrap, **settings, max_block_ms=3_000) as producer:
        return int(producer.send(topic, b"{}", partition=0).get(PATIENCE_S).offset)


@contextlib.contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """A broker, and the hub's topics, until the end of the block."""
    with LocalKafka(folder / "kafka", security=True) as broker:
        password = folder / "password"
        password.write_text(broker.admin_password or "")
        environment = {
            "HUB_DATA_DIR": str(folder / "hub"),
            "HUB_KAFKA_BOOTSTRAP": broker.bootstrap,
            "HUB_KAFKA_SECURITY": "SASL_PLAINTEXT",
            "HUB_KAFKA_USERNAME": broker.admin_username or "",
            "HUB_KAFKA_PASSWORD_FILE": str(password),
            "HUB_KAFKA_PARTITIONS": "3",
        }
        running = Secured(broker, environment)
        asyncio.run(Cluster(running.settings).make_topics())
        yield running
