"""Refusals as GraphQL tells them: the error of a field, with a stable code and a remedy."""

from __future__ import annotations

from typing import TypeVar

from graphql import GraphQLError

from hub.domain.refusal import Refusal

T = TypeVar("T")


def refused(refusal: Refusal) -> GraphQLError:
    """A refusal as the error of a field: code and remedy stand in its extensions."""
    return GraphQLError(refusal.message, extensions={"code": refusal.code, "remedy": refusal.remedy})


def accepted(answer: T | Refusal) -> T:
    """The answer of the store; GraphQLError when it is a refusal."""
    if isinstance(answer, Refusal):
        raise refused(answer)
    return answer
