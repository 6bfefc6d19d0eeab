"""GraphiQL at /graphiql: from our own files, without a content delivery network, under a strict policy."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.domain.scopes import Audience
from hub.web.files import Files
from hub.web.guard import guarded
from hub.web.pages import Pages, mandate

PATH = "/graphiql"
_STATIC = "/graphiql/static"
_VENDORED = ("react.js", "react-dom.js", "graphiql.js", "graphiql.css")
_OURS = ("start.js", "page.css")
# Its dialogs add style sheets and pictures of their own.
_POLICY = {
    "script-src": "'self'",
    "style-src": "'self' 'nonce-{nonce}'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
}


def add_routes(router: APIRouter, pages: Pages) -> None:
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
    served.add_routes(router)

    @router.get(PATH)
    @guarded(pages)
    async def graphiql(request: Request) -> Response:
        session = await pages.signed_in(request)
        person = session.person if session else None
        _, words = pages.words(request)
        audience = Audience.MANAGER if person and person.audience is Audience.MANAGER else None
        return pages.page(
            request,
            "graphiql.html",
            session=session,
            policy=_POLICY,
            tool=served.paths,
            path=PATH,
            email=await pages.sign_in.email_of(person.id) if person else "",
            mandate=mandate(person, words) if person else "",
            examples=examples[audience],
        )


def _examples(folder: Traversable, audience: Audience | None) -> list[str]:
    """Example queries, those for the audience first."""
    shown = _queries(folder.joinpath("examples", audience.value)) if audience else []
    return [*shown, *_queries(folder.joinpath("examples"))]


def _queries(folder: Traversable) -> list[str]:
    found = sorted((one for one in folder.iterdir() if one.is_file()), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in found]
