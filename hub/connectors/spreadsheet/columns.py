"""The columns that a spreadsheet may have, and how the cells of one row make a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.connectors.base import Draft, Unreadable
from hub.connectors.spreadsheet import cells, words
from hub.connectors.spreadsheet.cells import Reader, listed, word


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of column. member: where its value goes; fr, en: its name, compared folded.

    localized: the name may end in a language, as in "Intitulé (en)".
    """

    member: str
    fr: str
    en: str
    read: Reader
    localized: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("own_id", "Référence", "Reference", cells.text),
    Column("name", "Intitulé", "Name", cells.text, localized=True),
    Column("description", "Description", "Description", cells.text, localized=True),
    Column("service_type", "Type de service", "Service type", word(words.SERVICE_TYPES)),
    Column("status", "Statut", "Status", word(words.STATUSES)),
    Column("organization.name", "Organisme", "Organisation", cells.text),
    Column("organization.siren", "SIREN", "French register number", cells.text),
    Column("pathway_step", "Étape du parcours", "Pathway step", word(words.PATHWAY_STEPS)),
    Column("delivery", "Mode", "Delivery", word(words.DELIVERIES)),
    Column("reach", "Portée", "Reach", word({**words.REACHES, "international": "international"})),
    Column("trade", "Sens des échanges", "Trade", listed(word(words.TRADES))),
    Column("sectors", "Secteurs (NACE)", "Sectors (NACE)", listed(cells.sector)),
    Column("products", "Produits (SH)", "Products (HS)", listed(cells.text)),
    Column("target_countries", "Pays cibles", "Target countries", listed(cells.country)),
    Column("service_areas", "Territoires", "Service areas", listed(cells.text)),
    Column("languages", "Langues", "Languages", listed(cells.language)),
    Column("audience.sizes", "Taille des entreprises", "Firm sizes", listed(cells.size)),
    Column("audience.experience", "Expérience export", "Export experience", listed(word(words.EXPERIENCES))),
    Column("channels", "Canaux", "Channels", listed(word(words.CHANNELS))),
    Column("url", "Site web", "Website", cells.text),
    Column("application_url", "Lien de candidature", "Application link", cells.text),
    Column("email", "Courriel", "E-mail", cells.text),
    Column("cost.option", "Libellé du coût", "Cost label", cells.text),
    Column("cost.price", "Coût", "Cost", cells.price),
    Column("cost.currency", "Devise", "Currency", cells.text),
    Column("required_documents", "Documents requis", "Required documents", cells.documents),
    Column("processing_time", "Délai", "Processing time", cells.duration),
    Column("capacity", "Capacité", "Capacity", cells.capacity),
    Column("eligibility.country", "Pays de l'entreprise", "Firm country", listed(cells.country)),
    Column("eligibility.area", "Région de l'entreprise", "Firm area", listed(cells.text)),
    Column("eligibility.employees", "Effectif maximal", "Employees at most", cells.count),
    Column(
        "eligibility.turnover_eur", "Chiffre d'affaires maximal (EUR)", "Turnover at most (EUR)", cells.count
    ),
    Column("eligibility.own_product_line", "Produit propre", "Own product line", cells.yes_or_no),
    Column("funding_terms", "Conditions financières", "Funding terms", cells.funding_terms),
    Column("programme", "Programme", "Programme", cells.text),
    Column("policy_tags", "Instruments", "Policy tags", listed(cells.text)),
    Column("valid_from", "Date de début", "Start date", cells.day),
    Column("valid_to", "Date de fin", "End date", cells.day),
    Column("assured_date", "Vérifié le", "Checked on", cells.day),
    Column("assurer_email", "Vérifié par", "Checked by", cells.text),
)
"""Every column, once; docs/connectors.md lists them."""

REQUIRED = ("own_id", "name", "description", "service_type")

_TURNOVER_TESTS: Mapping[str, str] = {
    "employees": "at_most",
    "turnover_eur": "at_most",
    "own_product_line": "equals",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A column as it stands in a file. text: as written; language: of the texts below it."""

    column: Column
    text: str
    language: str


def read_cells(draft: Draft, row: Mapping[Heading, str]) -> None:
    """Put what the cells say into the draft. row: cells that are not blank."""
    groups: dict[str, dict[str, tuple[Any, Heading]]] = {}
    for heading, cell in row.items():
        member, _, part = heading.column.member.partition(".")
        value = heading.column.read(cell)
        if isinstance(value, Unreadable):
            draft.reject(member, heading.text, value)
        elif part:
            groups.setdefault(member, {})[part] = (value, heading)
        elif heading.column.localized:
            draft.where[f"/{member}/{heading.language}"] = heading.text
            draft.where.setdefault(f"/{member}", heading.text)
            draft.data.setdefault(member, {})[heading.language] = value
        elif member == "required_documents":
            named = [{"document": {heading.language: name}, "uri": uri} for name, uri in value]
            draft.put(member, [_present(document) for document in named], heading.text)
        else:
            draft.put(member, value, heading.text)
    _put_organization(draft, groups.get("organization", {}))
    _put_audience(draft, groups.get("audience", {}))
    _put_cost(draft, groups.get("cost", {}))
    _put_eligibility(draft, groups.get("eligibility", {}))


def _put_organization(draft: Draft, parts: Mapping[str, tuple[Any, Heading]]) -> None:
    found: dict[str, Any] = {}
    if "name" in parts:
        found["name"] = parts["name"][0]
    if "siren" in parts:
        # org-id.guide files SIREN numbers under the list of INSEE.
        number = "".join(parts["siren"][0].split())
        found["identifiers"] = [{"identifier_scheme": "FR-INSEE", "identifier": number}]
    if found:
        draft.put("organization", found, next(iter(parts.values()))[1].text)


def _put_audience(draft: Draft, parts: Mapping[str, tuple[Any, Heading]]) -> None:
    for part, (value, heading) in parts.items():
        draft.data.setdefault("audience", {})[part] = value
        draft.where[f"/audience/{part}"] = heading.text


def _put_cost(draft: Draft, parts: Mapping[str, tuple[Any, Heading]]) -> None:
    """One price. Its currency stands in the price or in a column of its own; free of charge needs none."""
    if "price" not in parts or "cost" in draft.spoiled:
        return
    (amount, sign), heading = parts["price"]
    currency = sign or (parts["currency"][0].upper() if "currency" in parts else None)
    if currency is None and Decimal(amount) == 0:
        currency = "EUR"
    if currency is None:
        draft.reject(
            "cost_options", heading.text, Unreadable("The currency is missing.", "Write 120,00 EUR.")
        )
        return
    default = "Participation" if heading.language == "fr" else "Fee"
    option = {heading.language: parts["option"][0] if "option" in parts else default}
    draft.put("cost_options", [{"option": option, "amount": amount, "currency": currency}], heading.text)
    if "currency" in parts:
        draft.where["/cost_options/0/currency"] = parts["currency"][1].text


def _put_eligibility(draft: Draft, parts: Mapping[str, tuple[Any, Heading]]) -> None:
    """All the conditions of a row must hold; each is explained in the words of its column."""
    clauses: list[dict[str, Any]] = []
    for fact, (value, heading) in parts.items():
        draft.where[f"/eligibility/all/{len(clauses)}"] = heading.text
        test = _TURNOVER_TESTS.get(fact, "in")
        clauses.append({"fact": fact, test: value, "text": {heading.language: heading.text}})
    if clauses and "eligibility" not in draft.spoiled:
        draft.data["eligibility"] = {"all": clauses}


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
