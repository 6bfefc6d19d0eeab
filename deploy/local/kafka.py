"""Apache Kafka on loopback: one broker or three, in a folder, from PyPI and Maven alone."""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Self

from deploy.local.archive import kafka_java
from deploy.local.broker import POLL_S, READY_S, STOP_S, Broker
from deploy.local.plan import Place, Plan, made_cluster_id
from deploy.local.ports import ReservedPort
from deploy.local.wire import Login

ADMIN = "admin"
LEAVE_S = 2.0


class LocalKafka:
    """A cluster of combined brokers and controllers; its folder holds everything, also between processes.

    brokers: 1 or 3, the latter with replication 3 and min.insync.replicas 2. security: clients log in with
    SASL_PLAINTEXT and SCRAM-SHA-512, and the super user admin alone may do anything before there are ACLs.
    The ports are kept; only when another process has one at the time of making this object is it replaced.
    ValueError when the folder holds a cluster of another kind.
    """

    def __init__(self, folder: Path, *, brokers: int = 1, security: bool = False) -> None:
        if brokers not in (1, 3):
            raise ValueError(f"a local cluster has 1 broker or 3, not {brokers}")
        self.folder = Path(folder).resolve()
        self._ports: list[ReservedPort] = []
        self._plan_file = self.folder / "cluster.json"
        self._plan = self._planned(brokers, security)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self._plan_file, self._plan)
        self.brokers = [
            Broker(self.folder / f"broker-{place.number}", place, self._plan, kafka_java)
            for place in self._plan.places
        ]
        self.bootstrap = ",".join(broker.address for broker in self.brokers)

    @property
    def cluster_id(self) -> str:
        """The id that the brokers tell; wipe may change it."""
        return self._plan.cluster_id

    @property
    def admin_username(self) -> str | None:
        """Of the super user; None without security."""
        return self._plan.login.username if self._plan.login else None

    @property
    def admin_password(self) -> str | None:
        """Of the super user; None without security."""
        return self._plan.login.password if self._plan.login else None

    def start(self) -> None:
        """Start those that do not run, and wait until each knows all; PartFailed otherwise, and none runs."""
        kafka_java()
        numbers = {broker.number for broker in self.brokers}
        try:
            with ThreadPoolExecutor(len(self.brokers)) as pool:
                for _ in pool.map(Broker.start, [one for one in self.brokers if one.pid is None]):
                    pass
            for broker in self.brokers:
                broker.wait_for(numbers, READY_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all brokers, within STOP_S + LEAVE_S."""
        for broker in self.brokers:
            broker.ask_to_stop()
        end_s = time.monotonic() + STOP_S
        while 2 * sum(one.pid is not None for one in self.brokers) > len(self.brokers):
            if time.monotonic() > end_s:
                break
            time.sleep(POLL_S)
        # Without a majority no broker can take its leave in form; it would try for minutes.
        for broker in self.brokers:
            broker.finish(LEAVE_S)

    def wipe(self, *, new_cluster_id: bool) -> None:
        """Empty all logs, of users and ACLs too; ports and super user stay. RuntimeError while one runs."""
        running = [broker.number for broker in self.brokers if broker.pid is not None]
        if running:
            raise RuntimeError(f"brokers {running} run: stop them, then wipe")
        for broker in self.brokers:
            broker.wipe()
        if new_cluster_id:
            self._plan = replace(self._plan, cluster_id=made_cluster_id())
            _write(self._plan_file, self._plan)
            for broker in self.brokers:
                broker.plan = self._plan

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _planned(self, brokers: int, security: bool) -> Plan:
        """The plan in the folder, or else a new one, with ports that are free now."""
        plan = _read(self._plan_file)
        if plan is None:
            login = Login(ADMIN, secrets.token_urlsafe(18)) if security else None
            numbers = range(1, brokers + 1)
            return Plan(made_cluster_id(), tuple(self._place(number) for number in numbers), login)
        if len(plan.places) != brokers or (plan.login is not None) != security:
            raise ValueError(
                f"{self.folder} holds a cluster of {len(plan.places)}"
                f" {'with' if plan.login else 'without'} security: take another folder"
            )
        return replace(plan, places=tuple(self._place(*astuple(place)) for place in plan.places))

    def _place(self, number: int, port: int | None = None, controller_port: int | None = None) -> Place:
        return Place(number, self._port(port), self._port(controller_port))

    def _port(self, wanted: int | None) -> int:
        self._ports.append(ReservedPort(wanted))
        return self._ports[-1].number


def _read(file: Path) -> Plan | None:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    places = tuple(Place(**place) for place in stored["places"])
    return Plan(stored["cluster_id"], places, Login(**stored["login"]) if stored["login"] else None)


def _write(file: Path, plan: Plan) -> None:
    """In one step, and for the owner alone: the plan has the password of the super user."""
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    draft.replace(file)
