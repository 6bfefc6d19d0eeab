"""Does a firm meet the conditions of a service: the verdict, and what each clause says in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from hub.domain.eligibility import ClauseVerdict, Node, assess
from hub.graphql.declared import shown
from hub.graphql.labels import label, place
from hub.graphql.scalars import pick


@strawberry.enum
class FirmSize(Enum):
    """Size by 2003/361/EC."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@strawberry.enum
class ExportExperience(Enum):
    """How much a firm exports; INDIRECT: it supplies firms that do."""

    NONE = "none"
    OCCASIONAL = "occasional"
    REGULAR = "regular"
    INDIRECT = "indirect"


@strawberry.enum
class EligibilityVerdict(Enum):
    """UNKNOWN: a fact that would decide is missing."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not-eligible"
    UNKNOWN = "unknown"


@strawberry.input
class FirmFacts:
    """What is known of a firm; what is left out is unknown."""

    country: str | None = strawberry.UNSET
    area: str | None = strawberry.UNSET
    sectors: list[str] | None = strawberry.UNSET
    size: FirmSize | None = strawberry.UNSET
    experience: ExportExperience | None = strawberry.UNSET
    employees: int | None = strawberry.UNSET
    turnover_eur: Decimal | None = strawberry.UNSET
    own_product_line: bool | None = strawberry.UNSET

    def by_name(self) -> dict[str, Any]:
        """Known facts as the rules name them."""
        return {
            name: value.value if isinstance(value, Enum) else value
            for name, value in vars(self).items()
            if value is not strawberry.UNSET
        }


@strawberry.type
@shown()
class EligibilityClause:
    """One condition, and whether the firm meets it."""

    said: strawberry.Private[ClauseVerdict]

    @strawberry.field
    def verdict(self) -> EligibilityVerdict:
        """Of this condition by itself."""
        return EligibilityVerdict(self.said.verdict)

    @strawberry.field
    def fact(self) -> str:
        """The fact that it is about, as in the payloads."""
        return self.said.fact

    @strawberry.field
    def text(self, language: str | None = strawberry.UNSET) -> str:
        """The publisher's words; without them, ours (English, French, Dutch, Spanish)."""
        if self.said.text:
            return pick(self.said.text, language or None)
        return condition_text(self.said.clause, language or None)


@strawberry.type
@shown()
class Eligibility:
    """The verdict, and every condition in the order of the publisher."""

    verdict: EligibilityVerdict
    clauses: list[EligibilityClause]


def eligibility_of(tree: Node | None, facts: FirmFacts) -> Eligibility:
    """What a service's tree says of these facts."""
    verdict, clauses = assess(tree, facts.by_name())
    return Eligibility(
        verdict=EligibilityVerdict(verdict), clauses=[EligibilityClause(said=clause) for clause in clauses]
    )


_FACTS: Mapping[str, tuple[str, str, str, str]] = {
    "country": ("Country of the firm", "Pays de l’entreprise", "Land van het bedrijf", "País de la empresa"),
    "area": ("Area of the firm", "Zone de l’entreprise", "Gebied van het bedrijf", "Zona de la empresa"),
    "sectors": ("Sector (NACE)", "Secteur (NACE)", "Sector (NACE)", "Sector (NACE)"),
    "size": ("Size of the firm", "Taille de l’entreprise", "Grootte van het bedrijf", "Tamaño de la empresa"),
    "experience": (
        "Export experience",
        "Expérience de l’export",
        "Exportervaring",
        "Experiencia exportadora",
    ),
    "employees": ("Employees", "Salariés", "Werknemers", "Empleados"),
    "turnover_eur": (
        "Turnover in euros",
        "Chiffre d’affaires en euros",
        "Omzet in euro",
        "Facturación en euros",
    ),
    "own_product_line": (
        "Own product line",
        "Gamme propre",
        "Eigen productlijn",
        "Línea de productos propia",
    ),
}
_AT_LEAST = ("at least", "au moins", "ten minste", "como mínimo")
_AT_MOST = ("at most", "au plus", "ten hoogste", "como máximo")
_OR = ("or", "ou", "of", "o")
_YES = ("yes", "oui", "ja", "sí")
_NO = ("no", "non", "nee", "no")
_SCHEMES = {"country": "country", "area": "area", "size": "sizes", "experience": "experience"}


def condition_text(clause: Node, language: str | None) -> str:
    """A condition in words: "Size of the firm: Micro or Small"."""
    at, fact = place(language), clause.fact or ""
    if clause.at_least is not None:
        wanted = f"{_AT_LEAST[at]} {clause.at_least}"
    elif clause.at_most is not None:
        wanted = f"{_AT_MOST[at]} {clause.at_most}"
    else:
        values = clause.in_ if clause.in_ is not None else [clause.equals]
        words = [_value_text(fact, value, language) for value in values]
        wanted = f" {_OR[at]} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"{_FACTS[fact][at]}: {wanted}"


def _value_text(fact: str, value: object, language: str | None) -> str:
    if isinstance(value, bool):
        return (_YES if value else _NO)[place(language)]
    if fact in _SCHEMES and isinstance(value, str):
        return label(_SCHEMES[fact], value, language)
    return str(value)
