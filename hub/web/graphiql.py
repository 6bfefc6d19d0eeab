"""GraphiQL at /graphiql: from our own files, without a content delivery network, under a strict policy."""

from __future__ import annotations

import hashlib
import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response

from hub.auth.access import OPEN

_STATIC = "/graphiql/static"
_VENDORED = ("react.js", "react-dom.js", "graphiql.js", "graphiql.css")
_OURS = ("start.js", "page.css")
_MEDIA_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
_NOSNIFF = {"X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class _File:
    """A file that the page loads. path: holds the digest of the content, so it may be cached for ever."""

    path: str
    content: bytes
    media_type: str


def build_router() -> APIRouter:
    """Routes of the page and of its static files, read once into memory (about 1.3 MB).

    The page needs no token; what its queries may see follows from the token that is pasted there.
    """
    folder = files("hub.web").joinpath("static", "graphiql")
    served = _load(folder)
    by_path = {file.path: file for file in served.values()}
    page = _page(folder, served)
    router = APIRouter(include_in_schema=False, dependencies=[OPEN])

    @router.get("/graphiql")
    async def graphiql() -> Response:
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(page.replace("{nonce}", nonce), headers=_page_headers(nonce))

    @router.get(_STATIC + "/{digest}/{name}")
    async def graphiql_file(digest: str, name: str) -> Response:
        # A look-up among known paths, never an access to the disk by a name from outside.
        file = by_path.get(f"{_STATIC}/{digest}/{name}")
        if file is None:
            raise HTTPException(404)
        headers = _NOSNIFF | {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(file.content, media_type=file.media_type, headers=headers)

    return router


def _load(folder: Traversable) -> dict[str, _File]:
    sources = {name: folder.joinpath("vendor", name) for name in _VENDORED}
    sources |= {name: folder.joinpath(name) for name in _OURS}
    served = {}
    for name, source in sources.items():
        content = source.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        served[name] = _File(f"{_STATIC}/{digest}/{name}", content, _MEDIA_TYPES[name.rsplit(".", 1)[1]])
    return served


def _page(folder: Traversable, served: Mapping[str, _File]) -> str:
    examples = sorted(folder.joinpath("examples").iterdir(), key=lambda example: example.name)
    places = {name: file.path for name, file in served.items()}
    places["examples"] = "\n".join(
        f'<template class="example">{html.escape(example.read_text(encoding="utf-8"))}</template>'
        for example in examples
    )
    text = folder.joinpath("page.html").read_text(encoding="utf-8")
    return re.sub(r"\{([a-z.-]+)\}", lambda place: places.get(place[1], place[0]), text)


def _page_headers(nonce: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return _NOSNIFF | {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
