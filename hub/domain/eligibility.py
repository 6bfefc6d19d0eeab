"""Machine-readable eligibility: a tree of clauses over facts of a firm, and a verdict with its reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hub.domain.codes import NACE_SCHEMES, levels
from hub.domain.values import LocalizedText, Name, Value

CLAUSES_MAX = 64
DEPTH_MAX = 8

Fact = Literal[
    "country", "area", "sectors", "size", "experience", "employees", "turnover_eur", "own_product_line"
]
Verdict = Literal["eligible", "not-eligible", "unknown"]
Scalar = Annotated[str, Field(max_length=100)] | int | float | bool
NUMERIC_FACTS = frozenset({"employees", "turnover_eur"})
_NEGATED: dict[Verdict, Verdict] = {
    "eligible": "not-eligible",
    "not-eligible": "eligible",
    "unknown": "unknown",
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Node(Value):
    """One of all, any, not, or a clause: a fact with one test."""

    all_: list[Node] | None = Field(None, alias="all", min_length=1)
    any_: list[Node] | None = Field(None, alias="any", min_length=1)
    not_: Node | None = Field(None, alias="not")
    fact: Fact | None = None
    in_: list[Scalar] | None = Field(None, alias="in", min_length=1, max_length=500)
    equals: Scalar | None = None
    at_least: int | float | None = None
    at_most: int | float | None = None
    text: LocalizedText | Name | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        groups = [group for group in (self.all_, self.any_, self.not_) if group is not None]
        tests = [test for test in (self.in_, self.equals, self.at_least, self.at_most) if test is not None]
        if groups:
            if len(groups) > 1 or self.fact or tests:
                raise ValueError("must hold exactly one of all, any, not, or a fact")
        elif self.fact is None or len(tests) != 1:
            raise ValueError("must hold a fact with exactly one of in, equals, at_least, at_most")
        elif (self.at_least is not None or self.at_most is not None) and self.fact not in NUMERIC_FACTS:
            raise ValueError(f"{self.fact} is not a number: use in or equals")
        elif self.fact in NUMERIC_FACTS and not all(map(_is_number, self.in_ or tests)):
            raise ValueError(f"{self.fact} is a number: compare it with numbers")
        return self

    @property
    def children(self) -> list[Node]:
        """Nodes one level down."""
        return self.all_ or self.any_ or ([self.not_] if self.not_ else [])


class Eligibility(Node):
    """The root of a tree, bounded in clauses and depth."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        depths = list(_clause_depths(self, 1))
        if len(depths) > CLAUSES_MAX:
            raise ValueError(f"holds {len(depths)} clauses; at most {CLAUSES_MAX} are allowed")
        if max(depths) > DEPTH_MAX:
            raise ValueError(f"is {max(depths)} levels deep; at most {DEPTH_MAX} are allowed")
        return self


def _clause_depths(node: Node, depth: int) -> Iterator[int]:
    if not node.children:
        yield depth
    for child in node.children:
        yield from _clause_depths(child, depth + 1)


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """What one clause says of a firm; text: the publisher's words by language, empty when it gave none.

    negated: it stands under an odd number of nots, which its verdict takes into account.
    """

    verdict: Verdict
    fact: str
    text: dict[str, str]
    clause: Node
    negated: bool


def assess(tree: Node | None, facts: dict[str, Any]) -> tuple[Verdict, list[ClauseVerdict]]:
    """Verdict of a tree on a firm's facts, and of every clause by itself, in the order written.

    facts: by fact name; absent or None is unknown (three-valued logic after Kleene). No tree: eligible.
    """
    clauses: list[ClauseVerdict] = []
    return ("eligible" if tree is None else _assess(tree, facts, clauses, negated=False)), clauses


def _assess(node: Node, facts: dict[str, Any], clauses: list[ClauseVerdict], *, negated: bool) -> Verdict:
    if node.fact is not None:
        verdict = _test(node, facts.get(node.fact))
        text = node.text if isinstance(node.text, dict) else {"und": node.text} if node.text else {}
        seen = _NEGATED[verdict] if negated else verdict
        clauses.append(ClauseVerdict(seen, node.fact, text, node, negated))
        return verdict
    negates = node.not_ is not None
    verdicts = [_assess(child, facts, clauses, negated=negated ^ negates) for child in node.children]
    if negates:
        return _NEGATED[verdicts[0]]
    decisive: Verdict = "not-eligible" if node.all_ is not None else "eligible"
    if decisive in verdicts:
        return decisive
    return "unknown" if "unknown" in verdicts else _NEGATED[decisive]


def _test(clause: Node, value: Any) -> Verdict:
    if value is None:
        return "unknown"
    if clause.at_least is not None or clause.at_most is not None:
        number = Decimal(str(value))
        bound = clause.at_least if clause.at_least is not None else clause.at_most
        met = number >= Decimal(str(bound)) if clause.at_least is not None else number <= Decimal(str(bound))
    else:
        wanted = clause.in_ if clause.in_ is not None else [clause.equals]
        values = value if isinstance(value, list | tuple) else [value]
        met = any(_same(clause.fact, one, want) for one in values for want in wanted)
    return "eligible" if met else "not-eligible"


def _same(fact: str | None, value: Any, wanted: Any) -> bool:
    if fact == "sectors":  # Codes at any level: 62 covers 62.10. A clause does not name the revision.
        return any(str(wanted) in levels(scheme, str(value)) for scheme in NACE_SCHEMES)
    if fact == "area":
        return str(wanted) in levels("area", str(value))
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if fact in NUMERIC_FACTS:
        return Decimal(str(value)) == Decimal(str(wanted))
    return bool(value == wanted)
