"""Connections: how a page of the store looks to clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import strawberry

from hub.graphql.declared import shown
from hub.store.pages import Page

C = TypeVar("C")


@strawberry.type
@shown()
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def page_info(page: Page[Any]) -> PageInfo:
    """Cursors of the first and the last node; null on an empty page."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=page.cursors[0] if page.cursors else None,
        end_cursor=page.cursors[-1] if page.cursors else None,
    )


def connection(
    kind: Callable[..., C], edge: Callable[..., Any], page: Page[Any], nodes: Sequence[Any], **more: Any
) -> C:
    """The connection of that kind that shows a page. nodes: those of the page, for clients, in its order.

    edge: what its edges are made by. more: members that only connections of this kind have.
    """
    return kind(
        nodes=list(nodes),
        edges=[edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
        page_info=page_info(page),
        total_count=page.total,
        **more,
    )
