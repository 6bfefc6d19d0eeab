"""One broker of a local cluster, which is a controller too."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from deploy.local.child import Child, PartFailed
from deploy.local.java import Java, java_environment
from deploy.local.plan import Place, Plan, properties
from deploy.local.wire import MECHANISM, NotReady, live_brokers

FORMAT_S = 60.0
READY_S = 90.0
STOP_S = 15.0
ASK_S = 2.0
POLL_S = 0.05

# In the broker's folder, where its programs work: whole paths would have to be encoded for Java.
SETTINGS, DATA, SCRATCH = "server.properties", "data", "scratch"


class Broker:
    """Started and stopped on its own, for fault tests; LocalKafka makes them.

    number: from 1; address: of its clients, "127.0.0.1:port"; plan: of its cluster, as of the next start.
    """

    def __init__(self, folder: Path, place: Place, plan: Plan, java: Callable[[], Java]) -> None:
        self.number = place.number
        self.address = place.address
        self.plan = plan
        self._data = folder / DATA
        self._folder = folder
        self._place = place
        self._java = java
        self._child = Child(f"Kafka broker {place.number}", folder / "broker.log")

    @property
    def pid(self) -> int | None:
        """The running broker; None when it does not run."""
        return self._child.pid

    def start(self) -> None:
        """Start it, formatting an empty folder first; does not wait until it is ready.

        Ready it can be only when most brokers of the cluster run. PartFailed when the formatting fails.
        """
        java, plan = self._java(), self.plan
        (self._folder / SCRATCH).mkdir(parents=True, exist_ok=True)
        settings = self._folder / SETTINGS
        settings.touch(mode=0o600)  # It has the password of the super user.
        settings.write_text(properties(self._place, plan, DATA), encoding="ascii")
        if not (self._data / "meta.properties").exists():
            self._format(java, plan)
        self._child.spawn(java.command("kafka.Kafka", SETTINGS, scratch=SCRATCH), java_environment())

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until it answers a metadata request and counts itself among the brokers; else PartFailed."""
        self.wait_for({self.number}, timeout_s)

    def wait_for(self, numbers: set[int], timeout_s: float) -> None:
        """Wait until it tells its clients of these brokers; PartFailed when it ends or time is over."""
        end_s = time.monotonic() + timeout_s
        login, answer = self.plan.login, "never tried"
        while (left_s := end_s - time.monotonic()) > 0:
            if self.pid is None:
                raise self.failed(f"ended with exit code {self._child.exit_code}")
            try:
                found = live_brokers("127.0.0.1", self._place.port, login, min(ASK_S, left_s))
            except NotReady as fault:
                answer = str(fault)
            else:
                if numbers <= found:
                    return
                answer = f"it knows the brokers {sorted(found)}"
            time.sleep(POLL_S)
        raise self.failed(f"was not ready within {timeout_s:g} s ({answer})")

    def stop(self) -> None:
        """SIGTERM, a wait of STOP_S at most, then SIGKILL; nothing when it does not run."""
        self.ask_to_stop()
        self.finish()

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        self._child.send(signal.SIGTERM)

    def finish(self, timeout_s: float = STOP_S) -> None:
        """The wait that comes after asking, and SIGKILL when it is over."""
        if not self._child.wait(timeout_s):
            self._child.kill()

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        self._child.kill()

    def failed(self, what: str) -> PartFailed:
        """The error to raise about it, with the end of its log."""
        return self._child.failed(what)

    def wipe(self) -> None:
        """Empty its log; RuntimeError while it runs."""
        if self.pid is not None:
            raise RuntimeError(f"broker {self.number} runs: stop it, then wipe")
        shutil.rmtree(self._data, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _format(self, java: Java, plan: Plan) -> None:
        login = plan.login
        user = f"{MECHANISM}=[name={login.username},password={login.password}]" if login else ""
        first_user = ["--add-scram", user] if user else []
        arguments = ["format", "-t", plan.cluster_id, "-c", SETTINGS, *first_user]
        command = java.command("kafka.tools.StorageTool", *arguments, scratch=SCRATCH)
        formatting = Child(f"The formatting of broker {self.number}", self._folder / "format.log")
        # The file that start looks for is written last: a formatting that was broken off is done again.
        formatting.run(command, java_environment(), timeout_s=FORMAT_S)
