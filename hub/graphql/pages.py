"""Connections: how a page of the store looks to clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from hub.graphql.context import Info
from hub.graphql.declared import shown
from hub.store.pages import Page

C = TypeVar("C")
COUNT = "totalCount"


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


def is_counted(info: Info) -> bool:
    """Whether the answer to a field that gives a connection has its `totalCount`.

    Counting reads the whole list, however long, and the page does not: so it is done where somebody asks, and
    in the snapshot of the page, which a field resolved later would not have.
    """
    return any(node.selection_set and _asks(info, node.selection_set) for node in info._raw_info.field_nodes)


def _asks(info: Info, selected: SelectionSetNode) -> bool:
    """Whether the count is among these selections as they are executed, in a fragment perhaps."""
    for one in selected.selections:
        if not _is_executed(info, one):
            continue
        if isinstance(one, FieldNode):
            found = one.name.value == COUNT
        elif isinstance(one, FragmentSpreadNode):
            found = _asks(info, info._raw_info.fragments[one.name.value].selection_set)
        else:
            found = isinstance(one, InlineFragmentNode) and _asks(info, one.selection_set)
        if found:
            return True
    return False


def _is_executed(info: Info, one: SelectionNode) -> bool:
    """What `@skip` and `@include` say; both have the one argument `if`, as validation has made sure."""
    for directive in one.directives or ():
        for argument in directive.arguments or ():
            given = value_from_ast_untyped(argument.value, info.variable_values)
            if directive.name.value == (GraphQLSkipDirective if given else GraphQLIncludeDirective).name:
                return False
    return True


def connection(
    kind: Callable[..., C], edge: Callable[..., Any], page: Page[Any], nodes: Sequence[Any], **more: Any
) -> C:
    """The connection of that kind that shows a page. nodes: those of the page, for clients, in its order.

    edge: what its edges are made by. more: members that only connections of this kind have. A page that was
    not counted has no total: `is_counted` says when nobody will ask for it.
    """
    return kind(
        nodes=list(nodes),
        edges=[edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
        page_info=page_info(page),
        total_count=page.total,
        **more,
    )
