"""hub serve, work: the hub on its data folder."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from fastapi import FastAPI

from hub.app import build_app, build_work_app
from hub.cli.options import Json
from hub.cli.terminal import refuse, talk, tell
from hub.domain.refusal import Refusal
from hub.events.spine import open_hub
from hub.settings import Settings

HOST = "127.0.0.1"
BACKLOG = 2_048
LOCK_FILE = ".lock"


class JsonLines(logging.Formatter):
    """One line an event, with its fields."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        fields = {name: value for name, value in vars(record).items() if name not in self._PLAIN}
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=True)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every log line to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def server(settings: Settings, *, working: bool = True) -> uvicorn.Server:
    """The web server on loopback, not yet started. working: with the workers in the same process."""
    return _server(build_app(settings, working=working), settings.port)


def _server(app: FastAPI, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe is a setting (hub/auth/addresses.py); the server would believe all of loopback.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


def is_free(port: int) -> bool:
    """Whether a server may listen on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def hold(folder: Path) -> TextIO:
    """Hold the data folder for this process as long as the file is open; refuses when another has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / LOCK_FILE).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        refuse(
            Refusal(
                "folder.in_use",
                f"{folder} is in use by process {holder}.",
                "Stop that one, or name another folder.",
            )
        )
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def collect_less() -> None:
    """Let the garbage collector run less often: every event makes many objects, and few of them in rings.

    It took a quarter of the intake's time. What was loaded until now is never looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def hold_embedded(settings: Settings) -> contextlib.AbstractContextManager[Any]:
    """Hold the data folder of a hub on SQLite; a hub on PostgreSQL has as many processes as one likes."""
    return contextlib.nullcontext() if settings.database_url else hold(settings.data_dir)


def _check_free(port: int, setting: str) -> None:
    if not is_free(port):
        message = f"Port {port} is taken, perhaps by hub demo or another hub serve."
        refuse(Refusal("port.taken", message, f"Stop that one with Ctrl+C, or set {setting}."))


def serve(json_: Json = False) -> None:
    """Serve API and GraphQL until stopped; without Kafka, or on SQLite, with the workers in this process."""
    settings = Settings()
    # SQLite has one process: nobody else could work there.
    working = not (settings.kafka_bootstrap and settings.database_url)
    log_to_stderr()
    collect_less()
    _check_free(settings.port, "HUB_PORT")
    with hold_embedded(settings):
        place = "PostgreSQL" if settings.database_url else f"the data in {settings.data_dir}"
        words = f"Serving [bold]{settings.public_url}[/] on {place}; Ctrl+C stops."
        tell({"base_url": settings.public_url, "working": working}, words, json_=json_)
        if not working:
            talk.print("Events wait in the inbox for [bold]hub work[/], which sequences and projects them.")
        server(settings, working=working).run()


def work(json_: Json = False) -> None:
    """Sequence, tell the log, project, and take in partners' topics, until stopped; any number may work."""
    settings = Settings()
    log_to_stderr()
    collect_less()
    if settings.work_port:
        _check_free(settings.work_port, "HUB_WORK_PORT")
    with hold_embedded(settings):
        health = f"http://{HOST}:{settings.work_port}/readyz" if settings.work_port else None
        words = f"Working; {f'health is at {health}; ' if health else ''}Ctrl+C stops."
        tell({"health": health}, words, json_=json_)
        if health:
            _server(build_work_app(settings), settings.work_port).run()
        else:
            asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    hub = open_hub(settings)
    stopped = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
    try:
        async with hub.running(serving=False):
            await stopped.wait()
    finally:
        await hub.store.close()
