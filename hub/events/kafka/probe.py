"""Whether Kafka answers, asked without a client: one request on a connection of its own, no thread, no wait.

Source: the Kafka protocol, ApiVersions (key 18, version 0), which brokers answer before any log-in.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct

from hub.events.kafka.connection import KafkaUnavailable
from hub.settings import Settings

_NUMBER = 0x68_75_62
_ASK = struct.pack(">hhih", 18, 0, _NUMBER, -1)
_ANSWER_BYTES_MAX = 65_536


async def kafka_answers(settings: Settings) -> None:
    """Return once a broker has answered; KafkaUnavailable when none does. The caller bounds the time."""
    asked = [asyncio.ensure_future(_ask(one, settings)) for one in settings.kafka_bootstrap.split(",")]
    faults: list[str] = []
    try:
        for first in asyncio.as_completed(asked):
            try:
                await first
            except (OSError, EOFError, ValueError) as error:
                faults.append(f"{type(error).__name__}: {error}")
            else:
                return
        raise KafkaUnavailable("; ".join(faults))
    finally:
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _ask(address: str, settings: Settings) -> None:
    host, _, port = address.strip().rpartition(":")
    context = None
    if settings.kafka_security.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    try:
        writer.write(struct.pack(">i", len(_ASK)) + _ASK)
        size, number = struct.unpack(">ii", await reader.readexactly(8))
        if number != _NUMBER or not 4 <= size <= _ANSWER_BYTES_MAX:
            raise ValueError("what answers is no broker")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
