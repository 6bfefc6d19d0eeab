"""What the benchmarks measure: `hub serve` and `hub work` as processes of their own, on real parts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx

from benchmarks.load import HOST, PARTNER
from deploy.local import LocalKafka, LocalPostgres
from deploy.local.child import Child
from deploy.local.ports import ReservedPort
from hub.auth.client import TokenClient
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
START_S_MAX = 90.0
STOP_S_MAX = 20.0
CATCH_UP_S_MAX = 60.0
HUB = (str(Path(sys.executable).with_name("hub")),)


@dataclass(frozen=True, slots=True)
class Place:
    """One hub's data folder and addresses. settings: what its processes are told besides, by HUB_ name."""

    data_dir: Path
    settings: dict[str, str]
    ports: tuple[ReservedPort, ReservedPort]

    @property
    def port(self) -> int:
        """Of `hub serve`."""
        return self.ports[0].number

    @property
    def work_port(self) -> int:
        """Of `hub work`."""
        return self.ports[1].number

    @property
    def base_url(self) -> str:
        """Where `hub serve` answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Of a process of this hub."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "HUB_DATA_DIR": str(self.data_dir),
            "HUB_PORT": str(self.port),
            "HUB_WORK_PORT": str(self.work_port),
            # One partner's load is measured here, not what one partner may do.
            "HUB_QUOTA_EVENTS_PER_S": "0",
            "HUB_QUOTA_BYTES_PER_S": "0",
            **self.settings,
        }

    def opened(self) -> Settings:
        """The same settings, for parts in this process."""
        ours = {name: value for name, value in self.environment.items() if name.startswith("HUB_")}
        members = {name.removeprefix("HUB_").lower(): value for name, value in ours.items()}
        return Settings.model_validate(members)


def place(data_dir: Path, **settings: str) -> Place:
    """A new hub. settings: lower-case members, such as database_url."""
    data_dir.mkdir(parents=True, exist_ok=True)
    told = {f"HUB_{name.upper()}": value for name, value in settings.items()}
    return Place(data_dir.resolve(), told, (ReservedPort(), ReservedPort()))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder under var that goes afterwards: the disk of the checkout, not one in memory."""
    (base := Path("var")).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as name:
        yield Path(name).resolve()


@contextmanager
def real_parts(folder: Path, *, kafka: bool = True) -> Iterator[tuple[LocalPostgres, LocalKafka | None]]:
    """PostgreSQL that survives a crash of the machine, and a broker; stopped on leaving."""
    with ExitStack() as parts:
        postgres = parts.enter_context(LocalPostgres(folder / "postgres", durable=True))
        broker = parts.enter_context(LocalKafka(folder / "kafka")) if kafka else None
        yield postgres, broker


@contextmanager
def running(
    where: Place, role: str, command: Sequence[str] = HUB, *, until_ready: bool = True
) -> Iterator[Child]:
    """`hub serve` or `hub work` until the end of the block; AssertionError when it does not start.

    until_ready: whether to wait until it says that it can do its work.
    """
    child = Child(role, where.data_dir / f"{role}.log")
    child.spawn([*command, role], where.environment)
    port = where.port if role == "serve" else where.work_port
    until_s = perf_counter() + START_S_MAX
    try:
        while until_ready and not _is_ready(port):
            if perf_counter() > until_s or child.pid is None:
                raise AssertionError(f"{child.failed('did not start')}")
            time.sleep(0.05)
        yield child
    finally:
        child.send(signal.SIGTERM)
        if not child.wait(STOP_S_MAX):
            child.kill()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/readyz").is_success
    except httpx.TransportError:
        return False


def enrol(where: Place, partner: str = PARTNER) -> None:
    """Add a partner that may use bearer tokens; what it needs to get one is kept in the data folder."""
    adding = [*HUB, "partner", "add", partner, "--name", "Benchmark", "--country", "FR", "--bearer", "--json"]
    added = subprocess.run(adding, env=where.environment, check=True, capture_output=True)
    (where.data_dir / "client.json").write_bytes(added.stdout)


async def authorization(where: Place) -> str:
    """Value of the header: a bearer token of the partner, good for the whole run."""
    row = json.loads((where.data_dir / "client.json").read_text(encoding="utf-8"))
    async with httpx.AsyncClient() as http:
        client = TokenClient(http, row, issuer=where.base_url, token_endpoint=f"{where.base_url}/oauth/token")
        return (await client.headers("POST", f"{where.base_url}/events"))["Authorization"]


async def caught_up(where: Place) -> tuple[float, int]:
    """When the read model shows all that was accepted, and how many events that is."""
    until_s = perf_counter() + CATCH_UP_S_MAX
    async with httpx.AsyncClient() as http:
        while perf_counter() < until_s:
            at = (await http.get(f"{where.base_url}/readyz")).json()
            if at["version"] == at["accepted"]:
                return perf_counter(), int(at["version"])
            await asyncio.sleep(0.02)
    raise AssertionError(f"the read model is not up to date after {CATCH_UP_S_MAX} s")
