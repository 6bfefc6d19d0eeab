"""Connections: how a page of the store looks to clients."""

from __future__ import annotations

from typing import Any

import strawberry

from hub.graphql.declared import shown
from hub.store.pages import Page


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
