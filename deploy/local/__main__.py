"""python -m deploy.local --kafka --postgres --folder DIR: runs them until stdin closes, SIGTERM or SIGINT.

Progress goes to stderr. Once all is ready, stdout gets one line of JSON with the addresses; see README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.child import PartFailed
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres

_log = logging.getLogger("deploy.local")


class Stopped(BaseException):
    """A signal asks to end. No Exception, so that nothing on the way takes it for a fault."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when asked to end, 1 when a part failed."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    _log.setLevel(logging.INFO)
    chosen = _arguments(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        with contextlib.ExitStack() as parts:
            ready = _start(parts, chosen)
            parts.callback(
                _ignore_signals
            )  # Called first: a second Ctrl-C must not leave half of it running.
            print(json.dumps(ready), flush=True)
            while os.read(sys.stdin.fileno(), 4096):
                pass
    except Stopped:
        return 0
    except (PartFailed, ValueError) as fault:
        _log.error("%s", fault)
        return 1
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="Run Apache Kafka and PostgreSQL on loopback, in a folder."
    )
    parser.add_argument(
        "--kafka", nargs="?", const=1, type=int, choices=(1, 3), help="so many brokers; 1 when not said"
    )
    parser.add_argument("--postgres", action="store_true", help="one server, reached by a unix socket")
    parser.add_argument("--security", action="store_true", help="Kafka with log-in and ACLs")
    parser.add_argument("--folder", type=Path, required=True, help="where their data is, and stays")
    chosen = parser.parse_args(arguments)
    if not (chosen.kafka or chosen.postgres):
        parser.error("nothing to run: say --kafka, --postgres or both")
    if chosen.security and not chosen.kafka:
        parser.error("--security is of Kafka: say --kafka too")
    return chosen


def _start(parts: contextlib.ExitStack, chosen: argparse.Namespace) -> dict[str, str | None]:
    """Start what was chosen, to be stopped by the stack; the addresses to print."""
    ready: dict[str, str | None] = dict.fromkeys(
        ("kafka_bootstrap", "database_url", "kafka_username", "kafka_password")
    )
    if chosen.postgres:
        begun_s = time.monotonic()
        postgres = LocalPostgres(chosen.folder / "postgres")
        parts.enter_context(postgres)
        ready["database_url"] = postgres.url()
        _log.info("PostgreSQL is ready after %.1f s", time.monotonic() - begun_s)
    if chosen.kafka:
        begun_s = time.monotonic()
        kafka = LocalKafka(chosen.folder / "kafka", brokers=chosen.kafka, security=chosen.security)
        parts.enter_context(kafka)
        ready["kafka_bootstrap"] = kafka.bootstrap
        ready["kafka_username"], ready["kafka_password"] = kafka.admin_username, kafka.admin_password
        _log.info("Apache Kafka is ready on %s after %.1f s", kafka.bootstrap, time.monotonic() - begun_s)
    return ready


def _stop(_number: int, _frame: object) -> None:
    _ignore_signals()
    raise Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
