"""Limits on documents: counted on the parsed text before anything expensive looks at it.

Validation compares fields in pairs and fragments in pairs, so a few kilobytes can cost seconds; execution
multiplies pages by pages. Both are bounded here. Every limit is a refusal, never a time-out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from hub.domain.refusal import Refusal
from hub.graphql.refusals import refused
from hub.store.pages import PAGE_NODES_MAX

TOKENS_MAX = 2_000
DEPTH_MAX = 15
ALIASES_MAX = 60
DIRECTIVES_MAX = 50
FRAGMENTS_MAX = 30
SPREADS_MAX = 60
FIELDS_MAX = 1_000
"""Fields of a document once every fragment stands where it is spread."""
PAIRS_MAX = 5_000
"""Pairs of fields of one name: validation compares them all, some 5 µs a pair."""

LIST_LENGTH = 5
LIST_LENGTHS: Mapping[tuple[str, str], int] = {
    ("Query", "vocabulary"): 1_000,
    ("Query", "networks"): 20,
    ("Query", "partners"): 100,
    ("Network", "members"): 50,
    ("Referral", "timeline"): 50,
    ("Referral", "children"): 20,
    ("Sme", "referrals"): 50,
    ("Sme", "roadmaps"): 20,
}
"""Lists that are usually longer; a page is as long as its `first`."""


def too_large(what: str, given: int, most: int) -> GraphQLError:
    """The error of a document beyond a limit."""
    return refused(
        Refusal(
            "payload.invalid",
            f"the document has {what} {given}; at most {most} is allowed",
            "Ask for less at once, or split the document into several requests.",
        )
    )


def shape_error(document: DocumentNode) -> GraphQLError | None:
    """The first limit on the form of a document that it breaks; counted without expanding fragments twice."""
    shape = _Shape(
        {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    )
    directives = 0
    for definition in document.definitions:
        directives += len(getattr(definition, "directives", None) or ())
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            shape.count(definition.selection_set)
    if len(shape.fragments) > FRAGMENTS_MAX:
        return too_large("fragments", len(shape.fragments), FRAGMENTS_MAX)
    counted = (
        ("aliases", shape.aliases, ALIASES_MAX),
        ("directives", shape.directives + directives, DIRECTIVES_MAX),
        ("fragment spreads", shape.spreads, SPREADS_MAX),
        ("pairs of fields of one name", sum(n * (n - 1) // 2 for n in shape.names.values()), PAIRS_MAX),
    )
    for what, given, most in counted:
        if given > most:
            return too_large(what, given, most)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            depth, fields = shape.expanded(definition.selection_set)
            if depth > DEPTH_MAX:
                return too_large("depth", depth, DEPTH_MAX)
            if fields > FIELDS_MAX:
                return too_large("fields", fields, FIELDS_MAX)
    return None


@dataclass(slots=True)
class _Shape:
    """What is counted in one document."""

    fragments: dict[str, FragmentDefinitionNode]
    aliases: int = 0
    directives: int = 0
    spreads: int = 0
    names: dict[str, int] = field(default_factory=dict)
    _known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, selection_set: SelectionSetNode) -> None:
        """Count all selections of a definition, fragments not followed."""
        waiting = [selection_set]
        while waiting:
            for one in waiting.pop().selections:
                self.directives += len(one.directives or ())
                if isinstance(one, FragmentSpreadNode):
                    self.spreads += 1
                    continue
                if isinstance(one, FieldNode):
                    self.aliases += one.alias is not None
                    name = (one.alias or one.name).value
                    self.names[name] = self.names.get(name, 0) + 1
                if isinstance(one, FieldNode | InlineFragmentNode) and one.selection_set:
                    waiting.append(one.selection_set)

    def expanded(self, selection_set: SelectionSetNode) -> tuple[int, int]:
        """Depth and number of fields with every fragment in its place; a cycle counts once."""
        depth = fields = 0
        for one in selection_set.selections:
            if isinstance(one, FragmentSpreadNode):
                inner_depth, inner_fields = self._fragment(one.name.value)
            else:
                inner_depth, inner_fields = (
                    self.expanded(one.selection_set)
                    if isinstance(one, FieldNode | InlineFragmentNode) and one.selection_set
                    else (0, 0)
                )
                if isinstance(one, FieldNode):
                    inner_depth, inner_fields = inner_depth + 1, inner_fields + 1
            depth, fields = max(depth, inner_depth), fields + inner_fields
        return depth, fields

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._known:
            self._known[name] = (0, 0)  # Stands while the fragment is looked at, so that a cycle ends.
            fragment = self.fragments.get(name)
            if fragment is not None:
                self._known[name] = self.expanded(fragment.selection_set)
        return self._known[name]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation may cost. varies: with its variables; then `fields` supposes the longest pages."""

    fields: int
    varies: bool


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Cost:
    """Cost of the dearest operation of a valid document, or of the one named.

    variables: of the request; None: pages whose length is a variable count as the longest.
    """
    counter = _Counter(
        {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)},
        schema,
        variables,
    )
    most = 0
    for definition in _operations(document, operation_name):
        counter.defaults = {
            one.variable.name.value: int(one.default_value.value)
            for one in definition.variable_definitions or ()
            if isinstance(one.default_value, IntValueNode)
        }
        root = schema.get_root_type(definition.operation)
        most = max(most, counter.cost(definition.selection_set, root, LIST_LENGTH))
    return Cost(most, counter.varies)


def _operations(document: DocumentNode, name: str | None) -> Iterator[OperationDefinitionNode]:
    for one in document.definitions:
        named = isinstance(one, OperationDefinitionNode) and one.name and one.name.value
        if isinstance(one, OperationDefinitionNode) and (name is None or named == name):
            yield one


@dataclass(slots=True)
class _Counter:
    fragments: dict[str, FragmentDefinitionNode]
    schema: GraphQLSchema
    variables: Mapping[str, Any] | None
    defaults: dict[str, int] = field(default_factory=dict)
    varies: bool = False
    _known: dict[tuple[str, int], int] = field(default_factory=dict)

    def cost(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None, page: int) -> int:
        """Fields of an answer to these selections. page: length of the connection that they stand in."""
        total = 0
        for one in selection_set.selections:
            if isinstance(one, FragmentSpreadNode):
                total += self._fragment(one.name.value, page)
            elif isinstance(one, InlineFragmentNode):
                on = self.schema.get_type(one.type_condition.name.value) if one.type_condition else parent
                total += self.cost(one.selection_set, on, page)
            elif isinstance(one, FieldNode):
                total += self._field(one, parent, page)
        return total

    def _fragment(self, name: str, page: int) -> int:
        fragment = self.fragments[name]
        if (name, page) not in self._known:
            on = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name, page] = self.cost(fragment.selection_set, on, page)
        return self._known[name, page]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int) -> int:
        name = node.name.value
        if name.startswith("__") or not isinstance(parent, GraphQLObjectType) or name not in parent.fields:
            return 1  # Introspection is answered from the schema alone, and bounded by depth.
        kind = parent.fields[name].type
        if node.selection_set is None:
            return 1
        inner = self.cost(node.selection_set, get_named_type(kind), self._page(node))
        if not isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList):
            return 1 + inner
        in_page = parent.name.endswith("Connection") and name in ("nodes", "edges")
        return 1 + inner * (page if in_page else LIST_LENGTHS.get((parent.name, name), LIST_LENGTH))

    def _page(self, node: FieldNode) -> int:
        """Length of the page that a field asks for; 20 where it does not say, as all pages have it."""
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                if isinstance(value, IntValueNode):
                    return min(int(value.value), PAGE_NODES_MAX)
                if isinstance(value, VariableNode):
                    return self._variable(value.name.value)
        return 20

    def _variable(self, name: str) -> int:
        self.varies = True
        if self.variables is None:
            return PAGE_NODES_MAX
        given = self.variables.get(name, self.defaults.get(name, 20))
        return min(given, PAGE_NODES_MAX) if isinstance(given, int) else 20
