"""Fixtures of these tests."""

from __future__ import annotations

from tests.graphql.cases.conftest import world

__all__ = ["world"]
