"""The GraphQL gateway: one set of types, a schema for each audience, limits and the HTTP transport."""

from hub.graphql.router import build_router

__all__ = ["build_router"]
