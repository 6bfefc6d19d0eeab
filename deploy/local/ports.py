"""Ports of the loopback interface that stay ours while nobody listens on them."""

from __future__ import annotations

import os
import socket
import sys
import weakref

LOOPBACK = "127.0.0.1"


class ReservedPort:
    """A port of 127.0.0.1, free when reserved: the wanted one, or else any.

    On Linux it stays reserved as long as this object lives, so that a broker that was killed finds its port
    free again. Without that, a client that reconnects meanwhile may get the port as its own source port.
    """

    def __init__(self, wanted: int | None = None) -> None:
        self.number = 0
        for port in (wanted, 0) if wanted else (0,):
            try:
                self.number = self._reserve(port)
            except OSError:
                continue
            break
        if not self.number:
            raise OSError(f"no port is free on {LOOPBACK}")

    def _reserve(self, port: int) -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as strict:
            strict.bind((LOOPBACK, port))  # Without the option below: fails when anyone else has the port.
            number: int = strict.getsockname()[1]
        if sys.platform == "linux":
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            # Bound but not listening: Linux lets one who sets the same option, as servers do, listen here.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((LOOPBACK, number))
            weakref.finalize(self, os.close, held.detach())
        return number
