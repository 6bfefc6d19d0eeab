"""GraphiQL at /graphiql: from our own files, without a content delivery network, under a strict policy."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.requests import Request

from hub.auth.access import BY_ITSELF
from hub.domain.scopes import Audience
from hub.web.account import mandate, signed_in
from hub.web.files import NOSNIFF, Files
from hub.web.guard import guarded
from hub.web.pages import Pages

PATH = "/graphiql"
_STATIC = "/graphiql/static"
_VENDORED = ("react.js", "react-dom.js", "graphiql.js", "graphiql.css")
_OURS = ("start.js", "page.css")


def build_router(pages: Pages) -> APIRouter:
    """Routes of the page and of its static files, read once into memory (about 1.3 MB).

    A person who is signed in sees what it may see. Others see what the public sees, or what the access token
    may that they paste there.
    """
    folder = files("hub.web").joinpath("static", "graphiql")
    served = Files(
        _STATIC,
        {name: folder.joinpath("vendor", name) for name in _VENDORED}
        | {name: folder.joinpath(name) for name in _OURS},
    )
    examples = {audience: _examples(folder, audience) for audience in (None, Audience.MANAGER)}
    text = folder.joinpath("page.html").read_text(encoding="utf-8")
    router = APIRouter(include_in_schema=False, dependencies=[BY_ITSELF])
    served.add_routes(router)

    @router.get(PATH)
    @guarded(pages)
    async def graphiql(request: Request) -> Response:
        session = await signed_in(pages, request)
        _, words = pages.words(request)
        person = session.person if session else None
        who = pages.part(
            request,
            "graphiql_who.html",
            session=session,
            path=PATH,
            email=await pages.sign_in.email_of(person.id) if person else "",
            mandate=mandate(person, words) if person else "",
        )
        audience = Audience.MANAGER if person and person.audience is Audience.MANAGER else None
        nonce = secrets.token_urlsafe(16)
        places = {**served.paths, "nonce": nonce, "who": who, "examples": examples[audience]}
        return HTMLResponse(_filled(text, places), headers=_page_headers(nonce))

    return router


def _examples(folder: Traversable, audience: Audience | None) -> str:
    """Example queries as templates of the page, those for the audience first."""
    shown = [*_queries(folder.joinpath("examples", audience.value))] if audience else []
    return "\n".join(
        f'<template class="example">{html.escape(query)}</template>'
        for query in (*shown, *_queries(folder.joinpath("examples")))
    )


def _queries(folder: Traversable) -> list[str]:
    found = sorted((one for one in folder.iterdir() if one.is_file()), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in found]


def _filled(text: str, places: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z.-]+)\}", lambda place: places.get(place[1], place[0]), text)


def _page_headers(nonce: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return NOSNIFF | {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        # Under no-referrer browsers send "Origin: null" with the form that signs out.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
