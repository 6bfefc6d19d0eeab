"""Documents: parsed, limited and validated once; what came before is found by its text."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from hub.domain.refusal import Refusal
from hub.graphql.limits import TOKENS_MAX, Cost, cost_of, shape_error
from hub.graphql.refusals import refused

REMEMBERED_MAX = 500
REMEMBERED_CHARS_MAX = 16_000
"""Longer texts are rare, and would let strangers fill the memory."""
ERRORS_MAX = 20
_NUL = re.compile(r"\x00|\\u(?:0000|\{0+\})")
"""As it is, or as GraphQL may write it in a text; PostgreSQL has no such text."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be executed, or the errors that say why not."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    cost: Cost | None = None

    def operation(self, name: str | None) -> OperationType | None:
        """Kind of the operation that would run; None when the name does not tell which."""
        found = get_operation_ast(self.document, name) if self.document else None
        return found.operation if found else None


class Documents:
    """Documents of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """The document of this text."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        prepared = self._prepare(text)
        if len(text) <= REMEMBERED_CHARS_MAX:
            self._known[text] = prepared
            if len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        return prepared

    def cost(self, prepared: Prepared, name: str | None, variables: Mapping[str, Any] | None) -> int:
        """Fields that a valid document asks for with these variables; 0 for one that is not executed."""
        cost = prepared.cost
        if cost and prepared.document and cost.varies:
            cost = cost_of(self._schema, prepared.document, name, variables or {})
        return cost.fields if cost else 0

    def _prepare(self, text: str) -> Prepared:
        if _NUL.search(text):
            refusal = Refusal(
                "payload.invalid",
                "the document holds the character U+0000, which no text of the hub does",
                "Leave the character out.",
            )
            return Prepared(None, (refused(refusal),))
        try:
            document = parse(text, max_tokens=TOKENS_MAX)
        except GraphQLSyntaxError as error:
            return Prepared(None, (error,))
        if broken := shape_error(document):
            return Prepared(None, (broken,))
        errors = validate(self._schema, document, max_errors=ERRORS_MAX)
        if errors:
            return Prepared(None, tuple(errors))
        return Prepared(document, cost=cost_of(self._schema, document))
