"""PostgreSQL in a folder, on a unix socket and, when asked, on a port of loopback."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]

from deploy.local import databases
from deploy.local.child import Child
from deploy.local.programs import postgres_environment, program

SUPERUSER = "postgres"
SOCKET_PORT = 5432
SOCKET_PATH_BYTES_MAX = 103
INITDB_S = 60.0
READY_S = 90.0
STOP_S = 30.0
QUIT_S = 5.0
KILL_S = 10.0
POLL_S = 0.01

# A crash of the machine may cost everything; one of the server still loses nothing that it acknowledged.
HASTY = {"fsync": "off", "full_page_writes": "off"}


class LocalPostgres:
    """One server; its folder holds everything, also between processes.

    durable: whether acknowledged rows survive a crash of the machine, too. port: of 127.0.0.1, with a
    password; without one, the unix socket alone leads in, and only whoever made the folder. As root, which
    PostgreSQL refuses, it runs as the user postgres or nobody.
    """

    def __init__(self, folder: Path, *, durable: bool = False, port: int | None = None) -> None:
        self.folder = Path(folder).resolve()
        self._durable = durable
        self._port = port
        self._data = self.folder / "data"
        self._socket_folder = _socket_folder(self.folder)
        self._user = _unprivileged() if os.geteuid() == 0 else None
        # Told by its death signal to end at once, sessions included; SIGKILL would leave them to find out.
        self._child = Child("PostgreSQL", self.folder / "postgres.log", signal.SIGQUIT)

    @property
    def pid(self) -> int | None:
        """The postmaster; None when it does not run."""
        return self._child.pid

    def start(self) -> None:
        """Fill a new folder, start, and wait until connections are taken; PartFailed otherwise."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._own_socket_folder()
        if not self._data.exists():
            self._initialise()
        settings = {
            "unix_socket_directories": str(self._socket_folder),
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or SOCKET_PORT),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self._durable else HASTY),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [program("postgres"), "-D", str(self._data), *options]
        self._child.spawn(command, postgres_environment(), self._user)
        try:
            self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it, and wait until it is gone; nothing when it does not run.

        fast: sessions end, data is written out. immediate: as after a crash, the next start recovers.
        """
        if mode == "fast":
            self._child.send(signal.SIGINT)
            self._child.wait(STOP_S)
        self._child.send(signal.SIGQUIT)
        if not self._child.wait(QUIT_S):
            self.kill()
        if not self._socket_folder.is_relative_to(self.folder):
            with contextlib.suppress(OSError):  # Not empty, when it had to be killed.
                self._socket_folder.rmdir()

    def kill(self) -> None:
        """SIGKILL of the postmaster and its children; returns when all are gone."""
        children: list[psutil.Process] = []
        if (pid := self.pid) is not None:
            self._child.send(signal.SIGSTOP)  # So that there are no new children meanwhile.
            children = psutil.Process(pid).children(recursive=True)
        self._child.kill()
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        # The next start fails while any of them has the shared memory.
        end_s = time.monotonic() + KILL_S
        while left := [child.pid for child in children if _lives(child)]:
            if time.monotonic() > end_s:
                raise self._child.failed(f"leaves the processes {left}")
            time.sleep(POLL_S)

    def url(self, database: str = "postgres") -> str:
        """Of a database, for its super user; with the password when the server has a port."""
        if self._port is None:
            return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._socket_folder))}"
        return f"postgresql://{SUPERUSER}:{self._password()}@127.0.0.1:{self._port}/{database}"

    def create_database(self, name: str) -> str:
        """URL of a new, empty database: UTF-8, LC_COLLATE "C", owned by the super user. See databases.py."""
        return databases.create_database(self.url(), name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if there is one of that name, and the connections to it."""
        databases.drop_database(self.url(), name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _initialise(self) -> None:
        """Make the data folder, in one step: one that was broken off is made again."""
        draft = self.folder / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._user:
            os.chown(draft, *self._user)
        self._password()
        options = {
            "pgdata": str(draft),
            "username": SUPERUSER,
            "pwfile": str(self._password_file),
            "auth-local": "trust",  # The socket's folder lets nobody else in.
            "auth-host": "scram-sha-256",
            "encoding": "UTF8",
            "locale-provider": "builtin",
            "builtin-locale": "C.UTF-8",
            "locale": "C",
        }
        command = [program("initdb"), *(f"--{name}={value}" for name, value in options.items())]
        if not self._durable:
            command.append("--no-sync")
        making = Child("initdb", self.folder / "initdb.log")
        making.run(command, postgres_environment(), self._user, timeout_s=INITDB_S)
        draft.rename(self._data)

    def _own_socket_folder(self) -> None:
        """Make the folder that alone keeps others out; PartFailed when it is somebody else's."""
        self._socket_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._socket_folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise self._child.failed(
                f"needs {self._socket_folder} as a folder that is open to its owner alone"
            )

    def _wait_ready(self) -> None:
        """Until its pid file says so, which is how pg_ctl knows: the pid is line 1, the status line 8."""
        end_s = time.monotonic() + READY_S
        while time.monotonic() < end_s:
            if self.pid is None:
                raise self._child.failed(f"ended with exit code {self._child.exit_code}")
            try:
                lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return
            time.sleep(POLL_S)
        raise self._child.failed(f"was not ready within {READY_S:g} s")

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _password(self) -> str:
        """Made on first use, readable by the owner alone."""
        if not self._password_file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self._password_file.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(18), encoding="ascii")
            draft.replace(self._password_file)
        return self._password_file.read_text(encoding="ascii")


def _lives(process: psutil.Process) -> bool:
    """Whether it still has memory: one that ended may stay listed until its new parent asks for it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _unprivileged() -> tuple[int, int]:
    """Ids of a user and its group that PostgreSQL accepts; it has to be a known one."""
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise LookupError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _socket_folder(folder: Path) -> Path:
    """In the folder; elsewhere, by a name that follows from it, when the path is too long for a socket."""
    inside = folder / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{SOCKET_PORT}")) <= SOCKET_PATH_BYTES_MAX:
        return inside
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hub-postgres-{os.geteuid()}-{short}"
