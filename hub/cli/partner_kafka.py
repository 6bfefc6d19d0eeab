"""hub partner kafka: a topic that a partner writes events to itself, and the user it does so as."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from hub.cli.operator import no_client
from hub.cli.options import Json
from hub.cli.session import run
from hub.cli.terminal import data, print_json, talk
from hub.domain.refusal import Refusal
from hub.domain.services import service_id
from hub.events.spine import Hub
from hub.settings import Settings
from hub.store.clients import find_client
from hub.store.engine import StoreUnavailable

if TYPE_CHECKING:
    from hub.events.kafka.access import Login


def kafka(slug: str, json_: Json = False) -> None:
    """Make a partner's own topic and Kafka user; run again, it gives the user a new password."""
    login: Login = run(lambda hub: grant(hub, slug))
    row = asdict(login)
    if json_:
        print_json(row)
        return
    if login.password is None:
        talk.print("[bold yellow]Kafka asks nobody who they are[/]: whoever reaches it can write as anybody.")
    else:
        talk.print("The password is kept nowhere else: hand it over on a safe way.")
    data.print_json(data=row)
    typer.echo(example(login, slug, Settings().public_url))


async def grant(hub: Hub, slug: str) -> Login | Refusal:
    """How the partner reaches its topic from now on."""
    if hub.kafka is None:
        return Refusal(
            "kafka.absent",
            "This hub runs without Kafka.",
            "Set HUB_KAFKA_BOOTSTRAP; without it partners post to /events.",
        )
    client = await hub.store.inspect(lambda conn: find_client(conn, slug))
    if client is None or client.partner != slug:
        return no_client(slug)
    if client.suspended:
        message = f"{slug} is suspended."
        return Refusal("partner.suspended", message, f"Let it in again first: hub partner resume {slug}.")
    try:
        return await hub.kafka.access.grant(slug)
    except StoreUnavailable as error:
        message = f"Kafka did not do it: {error}."
        return Refusal("hub.unavailable", message, "Check HUB_KAFKA_BOOTSTRAP and HUB_KAFKA_USERNAME.")


def example(login: Login, slug: str, public_url: str) -> str:
    """A program that writes one event, complete but for the packages kafka-python and crc32c."""
    settings = {
        "bootstrap_servers": login.bootstrap_servers.split(","),
        "security_protocol": login.security_protocol,
        "sasl_mechanism": login.sasl_mechanism,
        "sasl_plain_username": login.username,
        "sasl_plain_password": login.password,
    }
    told = "".join(f"    {name}={value!r},\n" for name, value in settings.items() if value is not None)
    return _EXAMPLE.format(
        settings=told,
        slug=slug,
        subject=service_id(slug, "kafka-first-steps"),
        topic=login.topic,
        public_url=public_url,
    )


_EXAMPLE = """
import json
from kafka import KafkaProducer

producer = KafkaProducer(
{settings}    acks="all",
    enable_idempotence=True,
)
event = {{
    "specversion": "1.0",
    "id": "first-steps-1",
    "source": "/partners/{slug}/kafka",
    "type": "hub.service.published.v1",
    "subject": "{subject}",
    "data": {{
        "own_id": "kafka-first-steps",
        "name": {{"en": "First steps"}},
        "description": {{"en": "Written to Kafka"}},
        "service_type": "workshop",
        "status": "inactive",
    }},
}}
sent = producer.send(
    "{topic}",
    json.dumps(event).encode(),
    key=event["subject"].encode(),
    headers=[("content-type", b"application/cloudevents+json")],
).get(timeout=30)
producer.close()
print(f"{public_url}/receipts/in/{{sent.partition}}/{{sent.offset}}")
"""
