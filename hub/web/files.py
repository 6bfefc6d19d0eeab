"""Files that pages load: read once, under an address that holds the digest of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

NOSNIFF = {"X-Content-Type-Options": "nosniff"}
_MEDIA_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str


class Files:
    """Some files under a prefix. paths: their addresses by name; a changed file has another one."""

    def __init__(self, prefix: str, sources: Mapping[str, Traversable]) -> None:
        """sources: scripts and style sheets by name."""
        self._prefix = prefix
        self._by_path: dict[str, _File] = {}
        self.paths: dict[str, str] = {}
        for name, source in sources.items():
            content = source.read_bytes()
            path = f"{prefix}/{hashlib.sha256(content).hexdigest()[:16]}/{name}"
            self.paths[name] = path
            self._by_path[path] = _File(content, _MEDIA_TYPES[name.rsplit(".", 1)[1]])

    def add_routes(self, router: APIRouter) -> None:
        """Serve them; they may be kept for ever."""

        @router.get(self._prefix + "/{digest}/{name}")
        async def file(digest: str, name: str) -> Response:
            # A look-up among known paths, never an access to the disk by a name from outside.
            found = self._by_path.get(f"{self._prefix}/{digest}/{name}")
            if found is None:
                raise HTTPException(404)
            headers = NOSNIFF | {"Cache-Control": "public, max-age=31536000, immutable"}
            return Response(found.content, media_type=found.media_type, headers=headers)
