"""The jars of Apache Kafka: fetched from Maven once, checked against kafka.lock, kept in the user's cache.

`python -m deploy.local.jars` resolves them anew and prints what belongs into kafka.lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import MavenContext

from deploy.local.child import PartFailed

KAFKA_VERSION = "4.3.1"
WANTED = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # The API's version that Kafka has; without a binding it logs nothing.
)
LOCK_FILE = Path(__file__).with_name("kafka.lock")
PARALLEL_DOWNLOADS = 8
TRIES = 3
CACHE_WAIT_S = 300.0
DRAFT = "draft-"

_log = logging.getLogger("deploy.local")


def cache_folder() -> Path:
    """Where things are kept between runs: partner-network-hub in XDG_CACHE_HOME, else in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "partner-network-hub"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def cache_locked() -> Iterator[Path]:
    """The cache folder, for one process at a time; PartFailed when another has it for too long."""
    folder = cache_folder()
    end_s = time.monotonic() + CACHE_WAIT_S
    with (folder / "lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end_s:
                    raise PartFailed(
                        f"another process has had {folder} locked for {CACHE_WAIT_S:g} s"
                    ) from None
                time.sleep(0.1)
        # We are alone here, so a draft is of a process that was killed.
        for left in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(left)
        yield folder


def kafka_jars(cache: Path) -> tuple[Path, ...]:
    """The jars in the order of the class path; fetched on first use. The cache must be locked.

    PartFailed when a jar cannot be had or is not the one that was locked.
    """
    locked = _locked()
    key = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]
    folder = cache / f"kafka-{KAFKA_VERSION}-{key}"
    if not folder.exists():
        _log.info("Fetching Apache Kafka %s (first time only) …", KAFKA_VERSION)
        with tempfile.TemporaryDirectory(dir=cache, prefix=DRAFT) as draft:
            repository, complete = Path(draft) / "repository", Path(draft) / "jars"
            complete.mkdir()
            with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
                for _ in pool.map(lambda name: _fetch(repository, name, locked[name], complete), locked):
                    pass
            # All or nothing under the final name: what was broken off is fetched again.
            complete.rename(folder)
    return tuple(folder / _jar_name(coordinate) for coordinate in locked)


def _fetch(repository: Path, coordinate: str, digest: str, into: Path) -> None:
    group, name, version = coordinate.split(":")
    for attempt in range(1, TRIES + 1):
        # A folder for each try: jgo takes what it finds for whole.
        context = MavenContext(repo_cache=repository / str(attempt))
        try:
            jar = context.project(group, name).at_version(version).artifact().resolve()
            break
        except Exception as fault:  # jgo raises what requests does, RuntimeError and AssertionError.
            if attempt == TRIES:
                raise PartFailed(f"cannot fetch {coordinate} from Maven: {fault!r}") from fault
            time.sleep(attempt)
    if (found := hashlib.sha256(jar.read_bytes()).hexdigest()) != digest:
        raise PartFailed(f"{coordinate} has the SHA-256 {found}, but {LOCK_FILE.name} has {digest}")
    shutil.move(jar, into / _jar_name(coordinate))


def _jar_name(coordinate: str) -> str:
    _group, name, version = coordinate.split(":")
    return f"{name}-{version}.jar"


def _locked() -> dict[str, str]:
    """SHA-256 by group:artifact:version."""
    lines = LOCK_FILE.read_text(encoding="ascii").splitlines()
    return dict(line.split(" ") for line in lines)


def resolve() -> list[str]:
    """Lines of kafka.lock: what Maven resolves now."""
    with tempfile.TemporaryDirectory() as draft:
        context = MavenContext(repo_cache=Path(draft))
        wanted = [context.create_dependency(coordinate) for coordinate in WANTED]
        direct, others = context.resolver.resolve(wanted)
        needed = [*direct, *(one for one in others if one.scope in {"compile", "runtime"})]
        return [
            f"{one.groupId}:{one.artifactId}:{one.version}"
            f" {hashlib.sha256(one.artifact.resolve().read_bytes()).hexdigest()}"
            for one in needed
        ]


if __name__ == "__main__":
    print("\n".join(resolve()))
